// What the scenarios of franz-go share: clients, topics, producing and reading.
package main

import (
	"context"
	"strconv"
	"time"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var background = context.Background()

func main() { Main() }

func client(t *T, options ...kgo.Opt) *kgo.Client {
	quick := []kgo.Opt{
		kgo.SeedBrokers(t.Bootstrap),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
		kgo.FetchMaxWait(100 * time.Millisecond),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}
	return Got(kgo.NewClient(append(quick, options...)...))
}

func admin(t *T) *kadm.Client { return kadm.NewClient(client(t)) }

func topic(t *T, hint string, partitions int32, configs ...string) string {
	name := t.Name(hint)
	values := map[string]*string{}
	for i := 0; i < len(configs); i += 2 {
		values[configs[i]] = &configs[i+1]
	}
	a := admin(t)
	defer a.Close()
	Must(Got(a.CreateTopic(background, partitions, 1, values, name)).Err)
	return name
}

func text(topic string, partition int32, value string) *kgo.Record {
	return &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}
}

func numbers(topic string, from, to int, partitions int32) []*kgo.Record {
	records := []*kgo.Record{}
	for i := from; i < to; i++ {
		records = append(records, text(topic, int32(i)%partitions, strconv.Itoa(i)))
	}
	return records
}

// send produces to the partitions that the records name, and fails unless all are acknowledged.
func send(t *T, records []*kgo.Record, options ...kgo.Opt) {
	c := client(t, append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, options...)...)
	defer c.Close()
	Must(c.ProduceSync(background, records...).FirstErr())
}

// take polls until there are so many records; errors that the client tells of fail.
func take(c *kgo.Client, count int) []*kgo.Record {
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	records := []*kgo.Record{}
	for len(records) < count {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			Fail("%d records of %d after 20 s", len(records), count)
		}
		Must(fetches.Err())
		records = append(records, fetches.Records()...)
	}
	return records
}

// read takes so many records of one partition from an offset on, without a group.
func read(t *T, topic string, partition int32, offset kgo.Offset, count int, options ...kgo.Opt) []*kgo.Record {
	from := kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: offset}})
	c := client(t, append(options, from)...)
	defer c.Close()
	return take(c, count)
}

func values(records []*kgo.Record) []string {
	found := []string{}
	for _, record := range records {
		found = append(found, string(record.Value))
	}
	return found
}

func ints(from, to int) []string {
	out := []string{}
	for i := from; i < to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}
