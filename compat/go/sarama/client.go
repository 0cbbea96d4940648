// What the scenarios of sarama share. They know only what Shopify's last release and IBM's newest have in common.
package main

import (
	"fmt"
	"strconv"
	"time"

	. "odradek/go/harness"

	"github.com/IBM/sarama"
)

func main() { Main() }

// config is for the newest broker that the client knows of.
func config(changes ...func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = 1000, 50*time.Millisecond
	c.Metadata.Retry.Max, c.Metadata.Retry.Backoff = 1000, 50*time.Millisecond
	c.Consumer.Retry.Backoff = 50 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = 100 * time.Millisecond
	c.Consumer.Group.Rebalance.Retry.Backoff = 50 * time.Millisecond
	for _, change := range changes {
		change(c)
	}
	return c
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent, c.Producer.RequiredAcks, c.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
}

func addresses(t *T) []string { return []string{t.Bootstrap} }

func admin(t *T) sarama.ClusterAdmin { return Got(sarama.NewClusterAdmin(addresses(t), config())) }

func topic(t *T, hint string, partitions int32) string {
	name := t.Name(hint)
	a := admin(t)
	defer a.Close()
	Must(a.CreateTopic(name, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	return name
}

func text(topic string, partition int32, value string) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(value)}
}

func numbers(topic string, from, to int, partitions int32) []*sarama.ProducerMessage {
	messages := []*sarama.ProducerMessage{}
	for i := from; i < to; i++ {
		messages = append(messages, text(topic, int32(i)%partitions, strconv.Itoa(i)))
	}
	return messages
}

func send(t *T, messages []*sarama.ProducerMessage, changes ...func(*sarama.Config)) {
	producer := Got(sarama.NewSyncProducer(addresses(t), config(changes...)))
	defer producer.Close()
	Must(producer.SendMessages(messages))
}

// read takes so many records of one partition from an offset on.
func read(t *T, topic string, partition int32, offset int64, count int, changes ...func(*sarama.Config)) []*sarama.ConsumerMessage {
	consumer := Got(sarama.NewConsumer(addresses(t), config(changes...)))
	defer consumer.Close()
	from := Got(consumer.ConsumePartition(topic, partition, offset))
	defer from.Close()
	late := time.After(20 * time.Second)
	messages := []*sarama.ConsumerMessage{}
	for len(messages) < count {
		select {
		case message := <-from.Messages():
			messages = append(messages, message)
		case <-late:
			Fail("%d records of %d after 20 s", len(messages), count)
		}
	}
	return messages
}

func values(messages []*sarama.ConsumerMessage) []string {
	found := []string{}
	for _, message := range messages {
		found = append(found, string(message.Value))
	}
	return found
}

func ints(from, to int) []string {
	out := []string{}
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}
