// sarama 1.19 told to speak to an old broker: VERSION produce|consume BOOTSTRAP TOPIC …, as the Java programs.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/Shopify/sarama"
)

var versions = map[string]sarama.KafkaVersion{
	"default": sarama.NewConfig().Version,
	"0.10.0":  sarama.V0_10_0_0, "0.10.2": sarama.V0_10_2_0, "0.11.0": sarama.V0_11_0_0, "2.0.0": sarama.V2_0_0_0,
}

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4,
}

func main() {
	config := sarama.NewConfig()
	config.Version = versions[os.Args[1]]
	bootstrap, topic, name := []string{os.Args[3]}, os.Args[4], os.Args[5]
	if os.Args[2] == "produce" {
		for _, codec := range os.Args[6:] {
			produce(config, bootstrap, topic, name, codec)
		}
		return
	}
	count, _ := strconv.Atoi(os.Args[6])
	if config.Version.IsAtLeast(sarama.V0_10_2_0) {
		consumeInGroup(config, bootstrap, topic, name, count)
	} else {
		consume(config, bootstrap, topic, count)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func produce(config *sarama.Config, bootstrap []string, topic, label, codec string) {
	config.Producer.Compression = codecs[codec]
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	producer, err := sarama.NewSyncProducer(bootstrap, config)
	must(err)
	messages := []*sarama.ProducerMessage{}
	for i := 0; i < 10; i++ {
		message := &sarama.ProducerMessage{Topic: topic, Partition: 0}
		if i%5 != 0 {
			message.Key = sarama.StringEncoder(fmt.Sprintf("%s-%d", codec, i))
		}
		value := fmt.Sprintf("%s %s %d", label, codec, i)
		if i == 3 {
			value += strings.Repeat("x", 3000)
		}
		if i != 7 {
			message.Value = sarama.StringEncoder(value)
		}
		messages = append(messages, message)
	}
	must(producer.SendMessages(messages))
	must(producer.Close())
}

func text(bytes []byte) string {
	if bytes == nil {
		return "\\N"
	}
	return string(bytes)
}

func show(message *sarama.ConsumerMessage) {
	fmt.Printf("%d\t%s\t%s\n", message.Offset, text(message.Key), text(message.Value))
}

// Before 0.10.2 this client has no groups: it goes by the partition, from the oldest offset on.
func consume(config *sarama.Config, bootstrap []string, topic string, count int) {
	consumer, err := sarama.NewConsumer(bootstrap, config)
	must(err)
	partition, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	must(err)
	for ; count > 0; count-- {
		show(<-partition.Messages())
	}
	must(partition.Close())
	must(consumer.Close())
}

type member struct {
	left   int
	cancel context.CancelFunc
}

func (*member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*member) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		show(message)
		session.MarkMessage(message, "")
		if m.left--; m.left == 0 {
			m.cancel()
			break
		}
	}
	return nil
}

func consumeInGroup(config *sarama.Config, bootstrap []string, topic, group string, count int) {
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	client, err := sarama.NewConsumerGroup(bootstrap, group, config)
	must(err)
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{left: count, cancel: cancel}
	for ctx.Err() == nil {
		must(client.Consume(ctx, []string{topic}, m))
	}
	must(client.Close())
}
