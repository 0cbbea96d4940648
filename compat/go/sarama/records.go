// Records of all kinds through all codecs, acks and versions; offsets; transactions.
package main

import (
	"errors"
	"fmt"
	"time"

	. "odradek/go/harness"

	"github.com/IBM/sarama"
)

var codecs = []sarama.CompressionCodec{
	sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
}

var producers = map[string]func(*sarama.Config){
	"all, idempotent": idempotent,
	"all":             func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.WaitForAll },
	"leader":          func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.WaitForLocal },
	"none":            func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.NoResponse },
}

func init() {
	for _, codec := range codecs {
		Add("records of all kinds: "+codec.String(), Options{Ours: true}, func(t *T) { allKinds(t, codec) })
	}
	Add("as for brokers of other times", Options{}, versions)
	Add("records of a megabyte, and beyond", Options{}, megabytes)
	Add("offsets: oldest, newest, exact, by time, out of range", Options{}, offsets)
	Add("topics made by producing", Options{}, autoCreation)
	Add("committed and aborted transactions", Options{}, transactions)
	Add("a zombie is fenced", Options{}, zombie)
}

func samples(topic string) []*sarama.ProducerMessage {
	since := time.UnixMilli(1_700_000_000_000)
	header := func(key, value string) sarama.RecordHeader {
		return sarama.RecordHeader{Key: []byte(key), Value: []byte(value)}
	}
	messages := []*sarama.ProducerMessage{
		{Key: sarama.StringEncoder("key"), Value: sarama.StringEncoder("value")},
		{Value: sarama.StringEncoder("no key")},
		{Key: sarama.StringEncoder("tombstone")},
		{Headers: []sarama.RecordHeader{header("only", "headers"), header("", "twice"), header("", "")}},
		{Key: sarama.StringEncoder("schlüssel-鍵"), Value: sarama.StringEncoder("wert-🎈"), Headers: []sarama.RecordHeader{header("kopf-頭", "👑")}},
		{Key: sarama.ByteEncoder(Noise(100)), Value: sarama.ByteEncoder(Noise(20_000))},
		{Value: sarama.ByteEncoder(make([]byte, 100_000))},
	}
	for i, message := range messages {
		message.Topic, message.Timestamp = topic, since.Add(time.Duration(i)*time.Millisecond)
	}
	return messages
}

// plain is what must come back as it was.
func plain(key, value []byte, headers []sarama.RecordHeader, timestamp time.Time) string {
	text := fmt.Sprintf("%q %v %q %v %d", key, key == nil, value, value == nil, timestamp.UnixMilli())
	for _, header := range headers {
		text += fmt.Sprintf(" %q=%q", header.Key, header.Value)
	}
	return text
}

func sent(messages []*sarama.ProducerMessage) []string {
	bytes := func(encoder sarama.Encoder) []byte {
		if encoder == nil {
			return nil
		}
		return Got(encoder.Encode())
	}
	out := []string{}
	for _, m := range messages {
		out = append(out, plain(bytes(m.Key), bytes(m.Value), m.Headers, m.Timestamp))
	}
	return out
}

func received(messages []*sarama.ConsumerMessage) []string {
	out := []string{}
	for _, m := range messages {
		headers := []sarama.RecordHeader{}
		for _, header := range m.Headers {
			headers = append(headers, *header)
		}
		out = append(out, plain(m.Key, m.Value, headers, m.Timestamp))
	}
	return out
}

func allKinds(t *T, codec sarama.CompressionCodec) {
	compressed := func(c *sarama.Config) { c.Producer.Compression = codec }
	for _, acks := range producers {
		to := topic(t, "kinds", 1)
		send(t, samples(to), acks, compressed)
		Equal(received(read(t, to, 0, sarama.OffsetOldest, 7)), sent(samples(to)))
		var batches []struct{ Codec string }
		t.Ask("batches "+to+" 0", &batches)
		Equal(batches[0].Codec, codec.String())
	}
}

func versions(t *T) {
	for _, version := range []sarama.KafkaVersion{
		sarama.NewConfig().Version, sarama.V0_11_0_0, sarama.V1_1_0_0, sarama.V2_1_0_0, sarama.V2_4_0_0, sarama.V2_8_0_0, sarama.V3_2_0_0,
	} {
		as := func(c *sarama.Config) { c.Version = version }
		to := topic(t, "versions", 1)
		send(t, samples(to), as)
		Equal(received(read(t, to, 0, sarama.OffsetOldest, 7, as)), sent(samples(to)))
	}
}

func megabytes(t *T) {
	to := topic(t, "megabytes", 1)
	most := func(c *sarama.Config) { c.Producer.MaxMessageBytes = 2_000_000 }
	send(t, []*sarama.ProducerMessage{{Topic: to, Value: sarama.ByteEncoder(Noise(1_000_000))}}, most)
	Equal(read(t, to, 0, sarama.OffsetOldest, 1)[0].Value, Noise(1_000_000))
	producer := Got(sarama.NewSyncProducer(addresses(t), config(most)))
	defer producer.Close()
	_, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: to, Value: sarama.ByteEncoder(Noise(1_100_000))})
	if !errors.Is(err, sarama.ErrMessageSizeTooLarge) {
		Fail("a record beyond message.max.bytes: %v", err)
	}
}

func offsets(t *T) {
	to := topic(t, "offsets", 1)
	messages := numbers(to, 0, 20, 1)
	for i, message := range messages {
		message.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i)*1000)
	}
	send(t, messages)
	client := Got(sarama.NewClient(addresses(t), config()))
	defer client.Close()
	at := func(time int64) int64 { return Got(client.GetOffset(to, 0, time)) }
	Equal([]int64{at(sarama.OffsetOldest), at(sarama.OffsetNewest)}, []int64{0, 20})
	Equal([]int64{at(1_700_000_004_000), at(1_700_000_004_001), at(1_700_000_999_000)}, []int64{4, 5, -1})
	Equal(values(read(t, to, 0, 15, 5)), ints(15, 20))
	consumer := Got(sarama.NewConsumer(addresses(t), config()))
	defer consumer.Close()
	if _, err := consumer.ConsumePartition(to, 0, 100); !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		Fail("an offset out of range: %v", err)
	}
}

func autoCreation(t *T) {
	to := t.Name("auto")
	send(t, []*sarama.ProducerMessage{text(to, 0, "made")})
	Equal(values(read(t, to, 0, sarama.OffsetOldest, 1)), []string{"made"})
}

func transactional(t *T, id string) sarama.SyncProducer {
	return Got(sarama.NewSyncProducer(addresses(t), config(idempotent, func(c *sarama.Config) { c.Producer.Transaction.ID = id })))
}

func committed(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }

func transactions(t *T) {
	from, to, group := topic(t, "from", 1), topic(t, "to", 1), t.Name("group")
	producer := transactional(t, t.Name("id"))
	defer producer.Close()
	a := admin(t)
	defer a.Close()
	offset := func() int64 {
		response := Got(a.ListConsumerGroupOffsets(group, map[string][]int32{from: {0}}))
		return response.GetBlock(from, 0).Offset
	}
	for i := range 6 {
		Must(producer.BeginTxn())
		Must(producer.SendMessages(numbers(to, i*10, i*10+10, 1)))
		position := []*sarama.PartitionOffsetMetadata{{Partition: 0, Offset: int64(i + 1)}}
		Must(producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{from: position}, group))
		if i%2 == 0 {
			Must(producer.CommitTxn())
			Eventually("the offset is there", func() bool { return offset() == int64(i+1) })
		} else {
			Must(producer.AbortTxn())
			Equal(offset(), int64(i))
		}
	}
	expected := append(append(ints(0, 10), ints(20, 30)...), ints(40, 50)...)
	Equal(values(read(t, to, 0, sarama.OffsetOldest, 30, committed)), expected)
	Equal(values(read(t, to, 0, sarama.OffsetOldest, 60)), ints(0, 60))
}

func zombie(t *T) {
	to, id := topic(t, "zombie", 1), t.Name("id")
	first := transactional(t, id)
	Must(first.BeginTxn())
	Must(first.SendMessages(numbers(to, 0, 5, 1)))
	second := transactional(t, id)
	defer second.Close()
	Must(second.BeginTxn())
	Must(second.SendMessages(numbers(to, 10, 15, 1)))
	err := first.CommitTxn()
	if !errors.Is(err, sarama.ErrProducerFenced) && !errors.Is(err, sarama.ErrInvalidProducerEpoch) {
		Fail("a zombie commits: %v", err)
	}
	Must(second.CommitTxn())
	Equal(values(read(t, to, 0, sarama.OffsetOldest, 5, committed)), ints(10, 15))
}
