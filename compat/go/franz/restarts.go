// The broker goes away under a running producer and a group, and comes back: what was acknowledged is there, once where
// the producer is idempotent. Topics go away and come back.
package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func init() {
	own := Options{Own: map[string]string{}, Timeout: 60}
	idempotent := []kgo.Opt{}
	leader := []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}
	Add("orderly restarts under load", own, func(t *T) { throughRestarts(t, t.Restart, idempotent, true) })
	Add("kill -9 under load: idempotent", own, func(t *T) { throughRestarts(t, t.Kill9, idempotent, true) })
	Add("kill -9 under load: acks of the leader", own, func(t *T) { throughRestarts(t, t.Kill9, leader, false) })
	Add("a topic deleted and made again", Options{}, recreated)
	Add("a topic deleted under a producer and a consumer", Options{}, deletedUnderLoad)
}

func throughRestarts(t *T, interrupt func(), options []kgo.Opt, exactly bool) {
	const partitions = 3
	to, group := topic(t, "running", partitions), t.Name("group")
	reader := join(t, group, to)
	producer := client(t, append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	acknowledged, stop := atomic.Int64{}, atomic.Bool{}
	var flow sync.WaitGroup
	flow.Go(func() {
		for i := 0; !stop.Load(); i++ {
			record := text(to, int32(i%partitions), fmt.Sprint(i))
			producer.Produce(background, record, func(_ *kgo.Record, err error) {
				if err != nil {
					Fail("%v", err)
				}
				acknowledged.Add(1)
			})
			time.Sleep(500 * time.Microsecond)
		}
	})
	more := func(what string) {
		before := acknowledged.Load()
		Eventually(what, func() bool { return acknowledged.Load() >= before+200 })
	}
	more("records flow")
	for range 3 {
		interrupt()
		more("records flow again")
	}
	stop.Store(true)
	flow.Wait()
	Must(producer.Flush(background))
	total := int(acknowledged.Load())
	distinct := func() int {
		seen := map[string]bool{}
		for _, value := range seenBy(reader) {
			seen[value] = true
		}
		return len(seen)
	}
	Eventually("the group has seen them all", func() bool { return distinct() == total })
	reader.leave()
	if !exactly {
		return
	}
	for partition := range partitions {
		expected := []string{}
		for i := partition; i < total; i += partitions {
			expected = append(expected, fmt.Sprint(i))
		}
		Equal(values(read(t, to, int32(partition), kgo.NewOffset().AtStart(), len(expected))), expected)
	}
}

func recreated(t *T) {
	to := topic(t, "recreated", 1)
	a := admin(t)
	defer a.Close()
	before := Got(a.ListTopics(background, to))[to].ID
	send(t, numbers(to, 0, 10, 1))
	Must(Got(a.DeleteTopic(background, to)).Err)
	// The client keeps what it knows of topics for a while.
	Eventually("it is gone", func() bool {
		return errors.Is(Got(a.ListTopics(background, to))[to].Err, kerr.UnknownTopicOrPartition)
	})
	Must(Got(a.CreateTopic(background, 2, 1, nil, to)).Err)
	Eventually("it is another one", func() bool {
		details := Got(a.ListTopics(background, to))[to]
		return details.Err == nil && details.ID != before && len(details.Partitions) == 2
	})
	send(t, numbers(to, 100, 102, 1))
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 2)), ints(100, 102))
}

func deletedUnderLoad(t *T) {
	to := topic(t, "deleted", 1)
	a := admin(t)
	defer a.Close()
	producer := client(t, kgo.UnknownTopicRetries(2), kgo.RecordRetries(20))
	consumer := client(t, kgo.ConsumeTopics(to))
	defer consumer.Close()
	for i := range 10 {
		Must(producer.ProduceSync(background, text(to, 0, fmt.Sprint(i))).FirstErr())
	}
	take(consumer, 10)
	Must(Got(a.DeleteTopic(background, to)).Err)
	Eventually("the producer is told", func() bool {
		return producer.ProduceSync(background, text(to, 0, "lost")).FirstErr() != nil
	})
	producer.Close()
	Must(Got(a.CreateTopic(background, 1, 1, nil, to)).Err)
	// A client that goes on knows the old topic's id; it is told to forget it.
	consumer.PurgeTopicsFromClient(to)
	consumer.AddConsumeTopics(to)
	send(t, numbers(to, 20, 25, 1))
	Equal(values(take(consumer, 5)), ints(20, 25))
}
