// Groups: assignors of both kinds, static members, members that vanish, commits, subscriptions by pattern.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// member polls all the time and keeps what it has seen and holds.
type member struct {
	mu      sync.Mutex
	client  *kgo.Client
	holds   map[int32]bool
	seen    []*kgo.Record
	revoked int
	errs    []error
	stopped chan struct{}
	cancel  context.CancelFunc
}

func join(t *T, group, topic string, options ...kgo.Opt) *member {
	ctx, cancel := context.WithCancel(background)
	m := &member{holds: map[int32]bool{}, stopped: make(chan struct{}), cancel: cancel}
	lost := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, p := range partitions[topic] {
			delete(m.holds, p)
			m.revoked++
		}
	}
	m.client = client(t, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.HeartbeatInterval(100 * time.Millisecond), kgo.AutoCommitInterval(100 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
			m.mu.Lock()
			defer m.mu.Unlock()
			for _, p := range partitions[topic] {
				m.holds[p] = true
			}
		}),
		kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, partitions map[string][]int32) {
			// It would have done so itself, but for what came with the last poll.
			if err := c.CommitUncommittedOffsets(ctx); err != nil {
				Fail("a commit before partitions are given up: %v", err)
			}
			lost(ctx, c, partitions)
		}),
		kgo.OnPartitionsLost(lost),
	}, options...)...)
	go func() {
		defer close(m.stopped)
		for ctx.Err() == nil {
			fetches := m.client.PollFetches(ctx)
			m.mu.Lock()
			m.seen = append(m.seen, fetches.Records()...)
			fetches.EachError(func(_ string, _ int32, err error) {
				if ctx.Err() == nil {
					m.errs = append(m.errs, err)
				}
			})
			m.mu.Unlock()
		}
	}()
	return m
}

// leave stops polling and leaves the group; a static member stays in it.
func (m *member) leave() {
	m.cancel()
	<-m.stopped
	m.client.Close()
}

func (m *member) held() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := []int32{}
	for p := range m.holds {
		held = append(held, p)
	}
	slices.Sort(held)
	return held
}

func (m *member) failure(target error) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.errs, func(err error) bool { return errors.Is(err, target) })
}

// share waits until the members hold all partitions, each by one of them, and each member has some.
func share(partitions int, members ...*member) {
	Eventually(fmt.Sprintf("%d members share %d partitions", len(members), partitions), func() bool {
		all := []int32{}
		for _, m := range members {
			held := m.held()
			if len(held) == 0 {
				return false
			}
			all = append(all, held...)
		}
		slices.Sort(all)
		return len(all) == partitions && len(slices.Compact(all)) == partitions
	})
}

func seenBy(members ...*member) []string {
	all := []string{}
	for _, m := range members {
		m.mu.Lock()
		all = append(all, values(m.seen)...)
		m.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

func sorted(values []string) []string {
	slices.Sort(values)
	return values
}

func init() {
	for _, balancer := range []kgo.GroupBalancer{
		kgo.RangeBalancer(), kgo.RoundRobinBalancer(), kgo.StickyBalancer(), kgo.CooperativeStickyBalancer(),
	} {
		Add("three members come and go: "+balancer.ProtocolName(), Options{}, func(t *T) { comeAndGo(t, balancer) })
	}
	Add("a cooperative member gives up only what moves", Options{}, cooperative)
	Add("from eager to cooperative", Options{}, upgrade)
	Add("a static member comes back to what it had", Options{}, staticMember)
	Add("a second static member of the same name fences the first", Options{}, staticFenced)
	Add("a member that vanishes is replaced after its session", Options{}, vanished)
	Add("commits: of single records, with metadata, by an outsider", Options{}, commits)
	Add("topics by pattern, as they are made", Options{}, pattern)
}

func comeAndGo(t *T, balancer kgo.GroupBalancer) {
	to, group := topic(t, "shared", 6), t.Name("group")
	options := kgo.Balancers(balancer)
	send(t, numbers(to, 0, 300, 6))
	a := join(t, group, to, options)
	share(6, a)
	b, c := join(t, group, to, options), join(t, group, to, options)
	share(6, a, b, c)
	send(t, numbers(to, 300, 600, 6))
	Eventually("all is seen", func() bool { return len(seenBy(a, b, c)) >= 600 })
	b.leave()
	share(6, a, c)
	send(t, numbers(to, 600, 900, 6))
	Eventually("all is seen", func() bool { return len(seenBy(a, b, c)) >= 900 })
	a.leave()
	c.leave()
	// Each member committed before it gave up its partitions, so nothing came twice.
	Equal(seenBy(a, b, c), sorted(ints(0, 900)))
	ad := admin(t)
	defer ad.Close()
	lags := Got(ad.Lag(background, group))
	Must(lags.Error())
	Equal(lags[group].Lag.Total(), int64(0))
	Equal(lags[group].State, "Empty")
}

func cooperative(t *T) {
	to, group := topic(t, "cooperative", 6), t.Name("group")
	a := join(t, group, to)
	share(6, a)
	b := join(t, group, to)
	share(6, a, b)
	Equal([]int{len(a.held()), len(b.held())}, []int{3, 3})
	a.mu.Lock()
	Equal(a.revoked, 3)
	a.mu.Unlock()
	before := a.held()
	c := join(t, group, to)
	share(6, a, b, c)
	for _, p := range a.held() {
		if !slices.Contains(before, p) {
			Fail("%v had become %v", before, a.held())
		}
	}
	for _, m := range []*member{a, b, c} {
		m.leave()
	}
}

// The two-step way of KIP-429: first all members know both protocols, then those that go leave.
func upgrade(t *T) {
	to, group := topic(t, "upgrade", 4), t.Name("group")
	eager := join(t, group, to, kgo.Balancers(kgo.RangeBalancer()))
	share(4, eager)
	both := join(t, group, to, kgo.Balancers(kgo.CooperativeStickyBalancer(), kgo.RangeBalancer()))
	share(4, eager, both)
	described := func() string {
		a := admin(t)
		defer a.Close()
		return Got(a.DescribeGroups(background, group))[group].Protocol
	}
	Equal(described(), "range")
	eager.leave()
	share(4, both)
	Equal(described(), "cooperative-sticky")
	both.leave()
}

func staticMember(t *T) {
	to, group := topic(t, "static", 4), t.Name("group")
	a := join(t, group, to, kgo.InstanceID("a"))
	b := join(t, group, to, kgo.InstanceID("b"))
	share(4, a, b)
	_, generation := a.client.GroupMetadata()
	held := b.held()
	b.leave()
	again := join(t, group, to, kgo.InstanceID("b"))
	Eventually("it holds what it held", func() bool { return slices.Equal(again.held(), held) })
	_, now := a.client.GroupMetadata()
	Equal(now, generation)
	ad := admin(t)
	defer ad.Close()
	described := Got(ad.DescribeGroups(background, group))[group]
	instances := []string{}
	for _, m := range described.Members {
		instances = append(instances, *m.InstanceID)
	}
	Equal(sorted(instances), []string{"a", "b"})
	again.leave()
	// Taken out by an operator, it leaves its partitions at once.
	Must(Got(ad.LeaveGroup(background, kadm.LeaveGroup(group).Reason("gone").InstanceIDs("b"))).Error())
	share(4, a)
	a.leave()
}

func staticFenced(t *T) {
	to, group := topic(t, "fenced", 2), t.Name("group")
	first := join(t, group, to, kgo.InstanceID("same"))
	share(2, first)
	second := join(t, group, to, kgo.InstanceID("same"))
	share(2, second)
	Eventually("the first is told", func() bool { return first.failure(kerr.FencedInstanceID) })
	second.leave()
}

func vanished(t *T) {
	to, group := topic(t, "vanished", 2), t.Name("group")
	quick := kgo.SessionTimeout(600 * time.Millisecond)
	// Its heartbeats stop as it cannot reach the broker any more: its group is left by nobody.
	gone, cut := context.WithCancel(background)
	a := join(t, group, to, quick, kgo.WithContext(gone))
	share(2, a)
	b := join(t, group, to, quick)
	share(2, a, b)
	cut()
	share(2, b)
	b.leave()
}

func commits(t *T) {
	to, group := topic(t, "commits", 2), t.Name("group")
	send(t, numbers(to, 0, 20, 2))
	c := client(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(to), kgo.DisableAutoCommit())
	records := take(c, 20)
	for _, record := range records {
		if record.Partition == 0 && record.Offset == 4 {
			Must(c.CommitRecords(background, record))
		}
	}
	a := admin(t)
	defer a.Close()
	committed := func() [2]int64 {
		offsets := Got(a.FetchOffsets(background, group))
		at := func(p int32) int64 {
			if o, ok := offsets.Lookup(to, p); ok {
				Must(o.Err)
				return o.At
			}
			return -1
		}
		return [2]int64{at(0), at(1)}
	}
	Equal(committed(), [2]int64{5, -1})
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: to, Partition: 1, At: 3, LeaderEpoch: 0, Metadata: "why: because"})
	if err := a.CommitAllOffsets(background, group, offsets); !errors.Is(err, kerr.UnknownMemberID) {
		Fail("a commit into a group with members by one who is none: %v", err)
	}
	c.Close()
	Must(a.CommitAllOffsets(background, group, offsets))
	Equal(committed(), [2]int64{5, 3})
	stored, _ := Got(a.FetchOffsets(background, group)).Lookup(to, 1)
	Equal([]any{stored.Metadata, stored.LeaderEpoch}, []any{"why: because", int32(0)})
	again := client(t, kgo.ConsumerGroup(group), kgo.ConsumeTopics(to))
	defer again.Close()
	Equal(len(take(again, 12)), 12)
}

func pattern(t *T) {
	prefix := t.Name("pattern")
	a := admin(t)
	defer a.Close()
	make := func(name string) {
		Must(Got(a.CreateTopic(background, 1, 1, nil, name)).Err)
		send(t, []*kgo.Record{text(name, 0, name)})
	}
	make(prefix + "-a")
	c := client(t, kgo.ConsumerGroup(t.Name("group")), kgo.ConsumeRegex(), kgo.ConsumeTopics(prefix+"-[ab]$"), kgo.MetadataMaxAge(200*time.Millisecond))
	defer c.Close()
	Equal(values(take(c, 1)), []string{prefix + "-a"})
	make(prefix + "-c")
	make(prefix + "-b")
	Equal(values(take(c, 1)), []string{prefix + "-b"})
}
