// Transactions without a group and with one: what readers of both kinds see, zombies, time-outs, kills in the middle.
package main

import (
	"errors"
	"time"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var committed = kgo.FetchIsolationLevel(kgo.ReadCommitted())

func transactional(t *T, id string, options ...kgo.Opt) *kgo.Client {
	quick := []kgo.Opt{kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ConcurrentTransactionsBackoff(10 * time.Millisecond)}
	return client(t, append(quick, options...)...)
}

// write begins a transaction and produces in it.
func write(c *kgo.Client, records ...*kgo.Record) error {
	Must(c.BeginTransaction())
	return c.ProduceSync(background, records...).FirstErr()
}

func isFenced(err error) bool {
	return errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.InvalidProducerIDMapping)
}

func init() {
	own := Options{Own: map[string]string{}, Timeout: 60}
	soon := Options{Own: map[string]string{"transaction.abort.timed.out.transaction.cleanup.interval.ms": "100"}, Timeout: 60}
	Add("committed and aborted transactions, as both kinds of readers see them", Options{}, isolation)
	Add("a zombie is fenced", Options{}, zombie)
	Add("a transaction that takes too long is aborted", soon, tooLong)
	Add("a transaction time-out beyond the broker's is refused", Options{}, timeoutTooLarge)
	Add("kill -9 in the middle of a transaction that is then committed", own, func(t *T) { killedWithin(t, kgo.TryCommit) })
	Add("kill -9 in the middle of a transaction that is then aborted", own, func(t *T) { killedWithin(t, kgo.TryAbort) })
	Add("kill -9 of a broker with an open transaction whose producer does not come back", soon, abandoned)
	Add("offsets in a transaction are hidden until it ends", Options{}, offsetsWithin)
	Add("transactions and producers, as an admin sees them", Options{}, transactionsDescribed)
}

func isolation(t *T) {
	to := topic(t, "isolation", 2)
	c := transactional(t, t.Name("id"))
	defer c.Close()
	for i := range 10 {
		Must(write(c, numbers(to, i*10, i*10+10, 2)...))
		Must(c.EndTransaction(background, kgo.TransactionEndTry(i%3 != 1)))
	}
	Must(write(c, numbers(to, 200, 210, 2)...))
	expected := func(partition int, all bool) []string {
		records := []*kgo.Record{}
		for i := range 10 {
			if all || i%3 != 1 {
				records = append(records, numbers(to, i*10, i*10+10, 2)...)
			}
		}
		if all {
			records = append(records, numbers(to, 200, 210, 2)...)
		}
		mine := []*kgo.Record{}
		for _, record := range records {
			if record.Partition == int32(partition) {
				mine = append(mine, record)
			}
		}
		return values(mine)
	}
	for partition := range 2 {
		Equal(values(read(t, to, int32(partition), kgo.NewOffset().AtStart(), 35, committed)), expected(partition, false))
		Equal(values(read(t, to, int32(partition), kgo.NewOffset().AtStart(), 55)), expected(partition, true))
	}
	a := admin(t)
	defer a.Close()
	stable, end := Got(a.ListCommittedOffsets(background, to)), Got(a.ListEndOffsets(background, to))
	Equal(end[to][0].Offset-stable[to][0].Offset, int64(5))
	Must(c.EndTransaction(background, kgo.TryCommit))
	Equal(values(read(t, to, 0, kgo.NewOffset().At(stable[to][0].Offset), 5, committed)), []string{"200", "202", "204", "206", "208"})
}

func zombie(t *T) {
	to, id := topic(t, "zombie", 1), t.Name("id")
	first := transactional(t, id)
	Must(write(first, text(to, 0, "of the first")))
	second := transactional(t, id)
	defer second.Close()
	Must(write(second, text(to, 0, "of the second")))
	if err := first.ProduceSync(background, text(to, 0, "of the zombie")).FirstErr(); !isFenced(err) {
		Fail("a zombie produces: %v", err)
	}
	if err := first.EndTransaction(background, kgo.TryCommit); err == nil {
		Fail("a zombie commits")
	}
	Must(second.EndTransaction(background, kgo.TryCommit))
	Must(write(second, text(to, 0, "and more")))
	Must(second.EndTransaction(background, kgo.TryCommit))
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 2, committed)), []string{"of the second", "and more"})
}

func tooLong(t *T) {
	to := topic(t, "too-long", 1)
	c := transactional(t, t.Name("id"), kgo.TransactionTimeout(500*time.Millisecond))
	defer c.Close()
	Must(write(c, text(to, 0, "too long")))
	a := admin(t)
	defer a.Close()
	Eventually("the broker aborts it", func() bool {
		return Got(a.ListCommittedOffsets(background, to))[to][0].Offset == 2
	})
	if err := c.ProduceSync(background, text(to, 0, "after")).FirstErr(); !isFenced(err) {
		Fail("it produces after that: %v", err)
	}
	if err := c.EndTransaction(background, kgo.TryCommit); err == nil {
		Fail("it commits after that")
	}
	// The client aborts, and with that recovers its producer id.
	Must(c.EndTransaction(background, kgo.TryAbort))
	Must(write(c, text(to, 0, "again")))
	Must(c.EndTransaction(background, kgo.TryCommit))
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 1, committed)), []string{"again"})
}

func timeoutTooLarge(t *T) {
	c := transactional(t, t.Name("id"), kgo.TransactionTimeout(time.Hour))
	defer c.Close()
	if err := c.BeginTransaction(); !errors.Is(err, kerr.InvalidTransactionTimeout) {
		Fail("an hour: %v", err)
	}
}

func killedWithin(t *T, how kgo.TransactionEndTry) {
	to := topic(t, "killed", 1)
	c := transactional(t, t.Name("id"))
	defer c.Close()
	Must(write(c, numbers(to, 0, 10, 1)...))
	t.Kill9()
	Must(c.ProduceSync(background, numbers(to, 10, 20, 1)...).FirstErr())
	t.Restart()
	Must(c.EndTransaction(background, how))
	Must(write(c, numbers(to, 20, 30, 1)...))
	Must(c.EndTransaction(background, kgo.TryCommit))
	expected := ints(20, 30)
	if how == kgo.TryCommit {
		expected = ints(0, 30)
	}
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), len(expected), committed)), expected)
}

func abandoned(t *T) {
	to := topic(t, "abandoned", 1)
	c := transactional(t, t.Name("id"), kgo.TransactionTimeout(2*time.Second))
	Must(write(c, text(to, 0, "abandoned")))
	t.Kill9()
	send(t, []*kgo.Record{text(to, 0, "of another")})
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 1, committed)), []string{"of another"})
}

func offsetsWithin(t *T) {
	from, to, group := topic(t, "from", 1), topic(t, "to", 1), t.Name("group")
	send(t, numbers(from, 0, 10, 1))
	session := Got(kgo.NewGroupTransactSession(
		kgo.SeedBrokers(t.Bootstrap), kgo.TransactionalID(t.Name("id")), kgo.ConsumerGroup(group), kgo.ConsumeTopics(from), committed,
	))
	defer session.Close()
	a := admin(t)
	defer a.Close()
	offset := func() int64 {
		stored, ok := Got(a.FetchOffsets(background, group)).Lookup(from, 0)
		if !ok {
			return -1
		}
		return stored.At
	}
	round := func(commit kgo.TransactionEndTry) {
		records := []*kgo.Record{}
		for len(records) < 10 {
			fetches := session.PollFetches(background)
			Must(fetches.Err())
			records = append(records, fetches.Records()...)
		}
		Must(session.Begin())
		for _, record := range records {
			session.Produce(background, text(to, 0, "from "+string(record.Value)), nil)
		}
		done := Got(session.End(background, commit))
		Equal(done, bool(commit))
	}
	round(kgo.TryAbort)
	Equal(offset(), int64(-1))
	round(kgo.TryCommit)
	// The answer to its end may be there before the offsets are.
	Eventually("the offset is there", func() bool { return offset() == 10 })
	Equal(len(read(t, to, 0, kgo.NewOffset().AtStart(), 10, committed)), 10)
}

func transactionsDescribed(t *T) {
	to, id := topic(t, "described", 1), t.Name("id")
	c := transactional(t, id)
	defer c.Close()
	Must(write(c, text(to, 0, "x")))
	a := admin(t)
	defer a.Close()
	producerID, epoch, err := c.ProducerID(background)
	Must(err)
	described := Got(a.DescribeTransactions(background, id))[id]
	Must(described.Err)
	Equal(described.State, "Ongoing")
	Equal(described.ProducerID, producerID)
	Equal(described.ProducerEpoch, epoch)
	Equal(described.Topics.Lookup(to, 0), true)
	listed := Got(a.ListTransactions(background, []int64{producerID}, []string{"Ongoing"}))
	Equal(listed[id].TxnID, id)
	Equal(len(Got(a.ListTransactions(background, []int64{producerID}, []string{"Empty"}))), 0)
	Equal(len(Got(a.ListTransactionsByTxPattern(background, nil, nil, "no-such-.*"))), 0)
	producers := Got(a.DescribeProducers(background, listedTopic(to)))
	producer := producers[to].Partitions[0].ActiveProducers.Sorted()[0]
	Equal(producer.ProducerID, producerID)
	Equal(producer.CurrentTxnStartOffset, int64(0))
	Must(c.EndTransaction(background, kgo.TryCommit))
	Eventually("it is complete", func() bool {
		return Got(a.DescribeTransactions(background, id))[id].State == "CompleteCommit"
	})
	if err := Got(a.DescribeTransactions(background, "no such"))["no such"].Err; !errors.Is(err, kerr.TransactionalIDNotFound) {
		Fail("an unknown transactional id: %v", err)
	}
}
