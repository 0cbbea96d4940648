// Records of all kinds through all codecs and acks, offsets of all kinds, auto creation.
package main

import (
	"errors"
	"fmt"
	"time"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

var acks = map[string][]kgo.Opt{
	"all, idempotent": {},
	"all":             {kgo.DisableIdempotentWrite()},
	"leader":          {kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()},
	"none":            {kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()},
}

func samples(topic string) []*kgo.Record {
	since := time.UnixMilli(1_700_000_000_000)
	header := func(key string, value []byte) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: value} }
	records := []*kgo.Record{
		{Key: []byte("key"), Value: []byte("value")},
		{Value: []byte("no key")},
		{Key: []byte("tombstone")},
		{Headers: []kgo.RecordHeader{header("only", []byte("headers")), header("null", nil), header("empty", []byte{})}},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("schlüssel-鍵"), Value: []byte("wert-🎈"), Headers: []kgo.RecordHeader{header("", []byte("👑")), header("twice", []byte("1")), header("twice", []byte("2"))}},
		{Key: Noise(100), Value: Noise(20_000)},
		{Value: make([]byte, 100_000)},
	}
	for i, record := range records {
		record.Topic, record.Timestamp = topic, since.Add(time.Duration(i)*time.Millisecond)
	}
	return records
}

// plain is what must come back as it was.
func plain(records []*kgo.Record) []string {
	found := []string{}
	for i, r := range records {
		text := fmt.Sprintf("%d: %#v %#v %d", i, r.Key, r.Value, r.Timestamp.UnixMilli())
		for _, h := range r.Headers {
			text += fmt.Sprintf(" %q=%#v", h.Key, h.Value)
		}
		found = append(found, text)
	}
	return found
}

func init() {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		Add("records of all kinds: "+codec, Options{Ours: true}, func(t *T) { allKinds(t, codec) })
	}
	Add("records of a megabyte, and beyond", Options{}, megabytes)
	Add("offsets: start, end, relative, exact, by time, out of range", Options{}, offsets)
	Add("seek: back, on, and to committed", Options{}, seek)
	Add("LogAppendTime", Options{}, logAppendTime)
	Add("four producers at once keep their order", Options{}, fourProducers)
	Add("topics made by producing", Options{}, autoCreation)
	Add("topics not made by producing", Options{Own: map[string]string{"auto.create.topics.enable": "false"}}, noAutoCreation)
	Add("the codec of the topic", Options{Ours: true}, codecOfTopic)
}

func allKinds(t *T, codec string) {
	for name, options := range acks {
		to := topic(t, "kinds", 1)
		send(t, samples(to), append(options, kgo.ProducerBatchCompression(codecs[codec]))...)
		Equal(plain(read(t, to, 0, kgo.NewOffset().AtStart(), 8)), plain(samples(to)))
		var batches []struct{ Codec string }
		t.Ask("batches "+to+" 0", &batches)
		if len(batches) == 0 || batches[0].Codec != codec {
			Fail("acks %s: %v on disk", name, batches)
		}
	}
}

func megabytes(t *T) {
	to := topic(t, "megabytes", 1)
	most, big := kgo.ProducerBatchMaxBytes(1_048_588), kgo.ProducerBatchMaxBytes(3<<20)
	raw := kgo.ProducerBatchCompression(kgo.NoCompression())
	send(t, []*kgo.Record{{Topic: to, Value: Noise(1_000_000)}}, raw, most)
	Equal(read(t, to, 0, kgo.NewOffset().AtStart(), 1, kgo.FetchMaxPartitionBytes(1000))[0].Value, Noise(1_000_000))
	c := client(t, raw, big)
	defer c.Close()
	if err := c.ProduceSync(background, &kgo.Record{Topic: to, Value: Noise(1_100_000)}).FirstErr(); !errors.Is(err, kerr.MessageTooLarge) {
		Fail("a record beyond message.max.bytes: %v", err)
	}
	larger := topic(t, "larger", 1, "max.message.bytes", "3000000")
	send(t, []*kgo.Record{{Topic: larger, Value: Noise(2_500_000)}}, raw, big)
	Equal(len(read(t, larger, 0, kgo.NewOffset().AtStart(), 1)[0].Value), 2_500_000)
}

func offsets(t *T) {
	to := topic(t, "offsets", 1)
	records := numbers(to, 0, 20, 1)
	for i, record := range records {
		record.Timestamp = time.UnixMilli(1_700_000_000_000 + int64(i)*1000)
	}
	send(t, records, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	since := func(offset kgo.Offset) string { return string(read(t, to, 0, offset, 1)[0].Value) }
	at := kgo.NewOffset()
	Equal(since(at.AtStart()), "0")
	Equal(since(at.At(7)), "7")
	Equal(since(at.AtStart().Relative(3)), "3")
	Equal(since(at.AtEnd().Relative(-2)), "18")
	Equal(since(at.AfterMilli(1_700_000_004_001)), "5")
	Equal(since(at.AfterMilli(1_700_000_004_000)), "4")
	Equal(since(at.At(100).Relative(0)), "0") // the default of what follows an offset out of range
	c := client(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{to: {0: at.At(100)}}), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	defer c.Close()
	if err := c.PollFetches(background).Err(); !errors.Is(err, kerr.OffsetOutOfRange) {
		Fail("an offset out of range: %v", err)
	}
	a := admin(t)
	defer a.Close()
	listed := func(offsets kadm.ListedOffsets, err error) int64 {
		Must(err)
		Must(offsets.Error())
		return offsets[to][0].Offset
	}
	Equal(listed(a.ListStartOffsets(background, to)), int64(0))
	Equal(listed(a.ListEndOffsets(background, to)), int64(20))
	Equal(listed(a.ListCommittedOffsets(background, to)), int64(20))
	Equal(listed(a.ListMaxTimestampOffsets(background, to)), int64(19))
	Equal(listed(a.ListOffsetsAfterMilli(background, 1_700_000_010_500, to)), int64(11))
	Equal(listed(a.ListOffsetsAfterMilli(background, 1_700_000_999_000, to)), int64(20))
	Equal(listed(a.ListLocalLogStartOffsets(background, to)), int64(0))
}

func seek(t *T) {
	to := topic(t, "seek", 1)
	send(t, numbers(to, 0, 100, 1))
	c := client(t, kgo.ConsumerGroup(t.Name("group")), kgo.ConsumeTopics(to), kgo.DisableAutoCommit())
	defer c.Close()
	Equal(values(take(c, 100)), ints(0, 100))
	next := func(offset int64, count int) []string {
		c.SetOffsets(map[string]map[int32]kgo.EpochOffset{to: {0: {Epoch: -1, Offset: offset}}})
		return values(take(c, count))
	}
	Equal(next(40, 60), ints(40, 100))
	Must(c.CommitUncommittedOffsets(background))
	Equal(next(99, 1), ints(99, 100))
	Equal(next(0, 100), ints(0, 100))
	c.PauseFetchTopics(to)
	send(t, numbers(to, 100, 101, 1))
	c.ResumeFetchTopics(to)
	Equal(values(take(c, 1)), ints(100, 101))
}

func logAppendTime(t *T) {
	to := topic(t, "append-time", 1, "message.timestamp.type", "LogAppendTime")
	before := time.Now().Add(-time.Second)
	send(t, []*kgo.Record{{Topic: to, Value: []byte("x"), Timestamp: time.UnixMilli(1_700_000_000_000)}})
	record := read(t, to, 0, kgo.NewOffset().AtStart(), 1)[0]
	if record.Timestamp.Before(before) || record.Attrs.TimestampType() != 1 {
		Fail("timestamp %v of type %d", record.Timestamp, record.Attrs.TimestampType())
	}
}

func fourProducers(t *T) {
	to := topic(t, "four", 3)
	done := make(chan error)
	for p := range 4 {
		go func() {
			c := client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ClientID(fmt.Sprint(p)))
			defer c.Close()
			for i := range 1500 {
				c.Produce(background, &kgo.Record{Topic: to, Partition: int32(i % 3), Key: []byte{byte(p)}, Value: fmt.Append(nil, i)}, nil)
			}
			done <- c.Flush(background)
		}()
	}
	for range 4 {
		Must(<-done)
	}
	for partition := range int32(3) {
		next := map[byte]int{}
		records := read(t, to, partition, kgo.NewOffset().AtStart(), 2000)
		Equal(len(records), 2000)
		for _, r := range records {
			Equal(string(r.Value), fmt.Sprint(next[r.Key[0]]*3+int(partition)))
			next[r.Key[0]]++
		}
	}
}

func autoCreation(t *T) {
	to := t.Name("auto")
	c := client(t, kgo.AllowAutoTopicCreation())
	defer c.Close()
	Must(c.ProduceSync(background, text(to, 0, "made")).FirstErr())
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 1)), []string{"made"})
	unmade := client(t, kgo.UnknownTopicRetries(1))
	defer unmade.Close()
	if err := unmade.ProduceSync(background, text(t.Name("unasked"), 0, "x")).FirstErr(); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		Fail("a client that does not allow it: %v", err)
	}
}

func noAutoCreation(t *T) {
	c := client(t, kgo.AllowAutoTopicCreation(), kgo.UnknownTopicRetries(1))
	defer c.Close()
	if err := c.ProduceSync(background, text(t.Name("auto"), 0, "x")).FirstErr(); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		Fail("a broker that does not: %v", err)
	}
}

func codecOfTopic(t *T) {
	for codec, configured := range map[string]string{"none": "uncompressed", "gzip": "gzip", "snappy": "snappy", "lz4": "lz4", "zstd": "zstd"} {
		to := topic(t, "recompressed", 1, "compression.type", configured)
		send(t, samples(to), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
		Equal(plain(read(t, to, 0, kgo.NewOffset().AtStart(), 8)), plain(samples(to)))
		var batches []struct{ Codec string }
		t.Ask("batches "+to+" 0", &batches)
		Equal(batches[0].Codec, codec)
	}
}
