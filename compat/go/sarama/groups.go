// Groups of several members, static ones too; what an admin sees; the broker killed under all of them.
package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	. "odradek/go/harness"

	"github.com/IBM/sarama"
)

// member keeps what it has seen and holds.
type member struct {
	mu      sync.Mutex
	holds   []int32
	seen    []string
	cancel  context.CancelFunc
	stopped chan struct{}
	group   sarama.ConsumerGroup
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holds = nil
	for _, partitions := range session.Claims() {
		m.holds = append(m.holds, partitions...)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.holds = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.mu.Lock()
		m.seen = append(m.seen, string(message.Value))
		m.mu.Unlock()
		session.MarkMessage(message, "")
	}
	return nil
}

func join(t *T, group, topic string, changes ...func(*sarama.Config)) *member {
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{cancel: cancel, stopped: make(chan struct{}), group: Got(sarama.NewConsumerGroup(addresses(t), group, config(changes...)))}
	go func() {
		defer close(m.stopped)
		for ctx.Err() == nil {
			// Errors are those of a broker that is away; it is asked again.
			if err := m.group.Consume(ctx, []string{topic}, m); err != nil {
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	return m
}

func (m *member) leave() {
	m.cancel()
	<-m.stopped
	Must(m.group.Close())
}

func (m *member) held() []int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(slices.Values(m.holds))
}

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
		all = append(all, m.seen...)
		m.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

func init() {
	for _, strategy := range []sarama.BalanceStrategy{
		sarama.BalanceStrategyRange, sarama.BalanceStrategyRoundRobin, sarama.BalanceStrategySticky,
	} {
		Add("three members come and go: "+strategy.Name(), Options{}, func(t *T) { comeAndGo(t, strategy) })
	}
	Add("a static member comes back to what it had", Options{}, staticMember)
	Add("offsets of a group without members", Options{}, offsetManager)
	Add("an admin's view: topics, configurations, groups, log directories, records deleted", Options{}, administration)
	own := Options{Own: map[string]string{}, Timeout: 90}
	Add("kill -9 under load: idempotent", own, func(t *T) { killed(t, true, idempotent) })
	Add("kill -9 under load: acks of all", own, func(t *T) { killed(t, false, producers["all"]) })
}

func comeAndGo(t *T, strategy sarama.BalanceStrategy) {
	to, group := topic(t, "shared", 6), t.Name("group")
	balance := func(c *sarama.Config) { c.Consumer.Group.Rebalance.Strategy = strategy }
	send(t, numbers(to, 0, 300, 6))
	a := join(t, group, to, balance)
	share(6, a)
	b, c := join(t, group, to, balance), join(t, group, to, balance)
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
	expected := ints(0, 900)
	slices.Sort(expected)
	Equal(seenBy(a, b, c), expected)
}

func staticMember(t *T) {
	to, group := topic(t, "static", 4), t.Name("group")
	named := func(name string) func(*sarama.Config) {
		return func(c *sarama.Config) { c.Consumer.Group.InstanceId = name }
	}
	a, b := join(t, group, to, named("a")), join(t, group, to, named("b"))
	share(4, a, b)
	held := b.held()
	b.leave()
	again := join(t, group, to, named("b"))
	Eventually("it holds what it held", func() bool { return slices.Equal(again.held(), held) })
	ad := admin(t)
	defer ad.Close()
	removed := Got(ad.RemoveMemberFromConsumerGroup(group, []string{"a"}))
	Equal(removed.Members[0].Err, sarama.ErrNoError)
	a.cancel()
	share(4, again)
	again.leave()
}

func offsetManager(t *T) {
	to, group := topic(t, "managed", 1), t.Name("group")
	client := Got(sarama.NewClient(addresses(t), config()))
	defer client.Close()
	manager := Got(sarama.NewOffsetManagerFromClient(group, client))
	partition := Got(manager.ManagePartition(to, 0))
	partition.MarkOffset(7, "why: because")
	manager.Commit()
	Must(partition.Close())
	Must(manager.Close())
	again := Got(sarama.NewOffsetManagerFromClient(group, client))
	defer again.Close()
	offset, metadata := Got(again.ManagePartition(to, 0)).NextOffset()
	Equal([]any{offset, metadata}, []any{int64(7), "why: because"})
}

func administration(t *T) {
	a := admin(t)
	defer a.Close()
	to, group := topic(t, "administered", 1), t.Name("group")
	refused := func(err, expected error) {
		if !errors.Is(err, expected) {
			Fail("%v instead of %v", err, expected)
		}
	}
	refused(a.CreateTopic(to, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false), sarama.ErrTopicAlreadyExists)
	Must(a.CreatePartitions(to, 2, nil, false))
	Eventually("two partitions", func() bool { return Got(a.ListTopics())[to].NumPartitions == 2 })
	value := "4096"
	Must(a.AlterConfig(sarama.TopicResource, to, map[string]*string{"retention.bytes": &value}, false))
	set := map[string]sarama.IncrementalAlterConfigsEntry{"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}}
	Must(a.IncrementalAlterConfig(sarama.TopicResource, to, set, false))
	for _, entry := range Got(a.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: to, ConfigNames: []string{"retention.bytes", "retention.ms"}})) {
		Equal([]string{entry.Value, entry.Source.String()}, []string{"4096", "Topic"})
	}
	send(t, numbers(to, 0, 20, 2))
	m := join(t, group, to)
	share(2, m)
	Eventually("all is seen", func() bool { return len(seenBy(m)) == 20 })
	Equal(Got(a.ListConsumerGroups())[group], "consumer")
	described := Got(a.DescribeConsumerGroups([]string{group}))[0]
	Equal([]any{described.State, described.Protocol, len(described.Members)}, []any{"Stable", "range", 1})
	refused(a.DeleteConsumerGroup(group), sarama.ErrNonEmptyGroup)
	Eventually("all is committed", func() bool {
		committed := Got(a.ListConsumerGroupOffsets(group, map[string][]int32{to: {0, 1}}))
		return committed.GetBlock(to, 0).Offset == 10 && committed.GetBlock(to, 1).Offset == 10
	})
	m.leave()
	Must(a.DeleteConsumerGroupOffset(group, to, 0))
	Must(a.DeleteConsumerGroup(group))
	Must(a.DeleteRecords(to, map[int32]int64{0: 4}))
	Equal(values(read(t, to, 0, sarama.OffsetOldest, 6))[0], "8")
	brokers, controller, err := a.DescribeCluster()
	Must(err)
	Equal([]any{len(brokers), controller}, []any{1, int32(1)})
	found := false
	for _, topic := range Got(a.DescribeLogDirs([]int32{1}))[1][0].Topics {
		found = found || topic.Topic == to && len(topic.Partitions) == 2
	}
	Equal(found, true)
	// That it is refused only one of the two tells.
	acls, _ := a.ListAcls(sarama.AclFilter{
		ResourceType: sarama.AclResourceAny, PermissionType: sarama.AclPermissionAny,
		Operation: sarama.AclOperationAny, ResourcePatternTypeFilter: sarama.AclPatternAny,
	})
	Equal(len(acls), 0)
	Must(a.DeleteTopic(to))
	refused(a.DeleteTopic(to), sarama.ErrUnknownTopicOrPartition)
}

// killed kills the broker under a producer and a group. Whatever was acknowledged is there; once, and nothing fails, where
// the producer is idempotent.
func killed(t *T, exactly bool, changes ...func(*sarama.Config)) {
	const partitions = 3
	to, group := topic(t, "running", partitions), t.Name("group")
	reader := join(t, group, to)
	var producer sarama.AsyncProducer
	Eventually("a producer", func() (made bool) {
		var err error
		producer, err = sarama.NewAsyncProducer(addresses(t), config(changes...))
		return err == nil
	})
	acknowledged, stop := newSet(), atomic.Bool{}
	var flow sync.WaitGroup
	flow.Add(3)
	go func() {
		defer flow.Done()
		for message := range producer.Successes() {
			acknowledged.add(string(Got(message.Value.Encode())))
		}
	}()
	go func() {
		defer flow.Done()
		for err := range producer.Errors() {
			if exactly {
				Fail("%v", err)
			}
		}
	}()
	go func() {
		defer flow.Done()
		for i := 0; !stop.Load(); i++ {
			producer.Input() <- text(to, int32(i%partitions), fmt.Sprint(i))
			time.Sleep(500 * time.Microsecond)
		}
		producer.AsyncClose()
	}()
	more := func(what string) {
		before := len(acknowledged.all())
		Eventually(what, func() bool { return len(acknowledged.all()) >= before+200 })
	}
	more("records flow")
	for range 3 {
		t.Kill9()
		more("records flow again")
	}
	stop.Store(true)
	flow.Wait()
	Eventually("the group has seen them all", func() bool {
		seen := newSet()
		for _, value := range seenBy(reader) {
			seen.add(value)
		}
		return !slices.ContainsFunc(acknowledged.all(), func(value string) bool { return !seen.has(value) })
	})
	reader.leave()
	for partition := range partitions {
		expected := []string{}
		for i := partition; i < len(acknowledged.all()); i += partitions {
			expected = append(expected, fmt.Sprint(i))
		}
		if exactly {
			Equal(values(read(t, to, int32(partition), sarama.OffsetOldest, len(expected))), expected)
		}
	}
}

type set struct {
	mu     sync.Mutex
	values map[string]bool
}

func newSet() *set { return &set{values: map[string]bool{}} }

func (s *set) add(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[value] = true
}

func (s *set) has(value string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[value]
}

func (s *set) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.values))
}
