// Reads `in`, writes each record to `out` and the group's offsets in one transaction; aborts one in four. Arguments:
// bootstrap, transactional id, group, in, out. Runs until it is killed; ends with 3 when it is fenced.
package main

import (
	"context"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const maxRecords = 40

func main() {
	bootstrap, id, group, in, out := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(bootstrap),
		kgo.ClientID(id),
		kgo.TransactionalID(id),
		kgo.TransactionTimeout(20*time.Second),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(in),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
	)
	end(err)
	for {
		end(step(session, out))
	}
}

func end(err error) {
	if err != nil {
		fmt.Println("end", err)
		os.Exit(3)
	}
}

func step(session *kgo.GroupTransactSession, out string) error {
	ctx := context.Background()
	// Errors of single partitions pass; the broker may be away.
	records := session.PollRecords(ctx, maxRecords).Records()
	if len(records) == 0 {
		return nil
	}
	abort := rand.Intn(4) == 0
	if err := session.Begin(); err != nil {
		return err
	}
	failures := kgo.AbortingFirstErrPromise(session.Client())
	for _, record := range records {
		value := string(record.Value)
		if abort {
			value += " aborted"
		}
		session.Produce(ctx, &kgo.Record{Topic: out, Key: record.Key, Value: []byte(value)}, failures.Promise())
	}
	failed := failures.Err()
	if failed != nil {
		fmt.Println("retry", failed)
	}
	// Whoever ends without a commit is set back to what was committed.
	committed, err := session.End(ctx, kgo.TransactionEndTry(failed == nil && !abort))
	if err != nil {
		return err
	}
	if committed {
		fmt.Println("commit", len(records))
	} else {
		fmt.Println("abort", len(records))
	}
	return nil
}
