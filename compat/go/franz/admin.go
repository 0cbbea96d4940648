// What kadm asks: topics, configurations, offsets, groups, log directories, records deleted, and what is refused.
package main

import (
	"errors"
	"slices"
	"strings"

	. "odradek/go/harness"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func init() {
	Add("topics are made, looked at, widened and deleted", Options{}, topics)
	Add("configurations of topics", Options{}, topicConfigs)
	Add("configurations of brokers", Options{Own: map[string]string{}, Timeout: 60}, brokerConfigs)
	Add("groups are listed, described, rewound and deleted", Options{}, groups)
	Add("records are deleted", Options{}, deleteRecords)
	Add("log directories", Options{}, logDirs)
	Add("brokers, versions, elections, reassignments, epochs", Options{}, cluster)
	Add("what a broker without authorizer and security refuses", Options{}, refusals)
}

func listedTopic(topic string) kadm.TopicsSet {
	set := kadm.TopicsSet{}
	set.Add(topic, 0)
	return set
}

// refused fails unless the error is this one.
func refused(err, expected error) {
	if !errors.Is(err, expected) {
		Fail("%v instead of %v", err, expected)
	}
}

func topics(t *T) {
	a := admin(t)
	defer a.Close()
	name, compressed := t.Name("made"), "gzip"
	for _, response := range Got(a.ValidateCreateTopics(background, 3, 1, nil, name)) {
		Must(response.Err)
	}
	Equal(Got(a.ListTopics(background)).Has(name), false)
	made := Got(a.CreateTopic(background, 3, -1, map[string]*string{"compression.type": &compressed}, name))
	Must(made.Err)
	Equal([]any{made.NumPartitions, made.ReplicationFactor, *made.Configs["compression.type"].Value}, []any{int32(3), int16(1), "gzip"})
	_, err := a.CreateTopic(background, 3, 1, nil, name)
	refused(err, kerr.TopicAlreadyExists)
	_, err = a.CreateTopic(background, 1, 2, nil, t.Name("replicas"))
	refused(err, kerr.InvalidReplicationFactor)
	_, err = a.CreateTopic(background, 0, 1, nil, t.Name("none"))
	refused(err, kerr.InvalidPartitions)
	_, err = a.CreateTopic(background, 1, 1, nil, "not/a name")
	refused(err, kerr.InvalidTopicException)
	_, err = a.CreateTopic(background, 1, 1, map[string]*string{"no.such": &compressed}, t.Name("config"))
	refused(err, kerr.InvalidConfig)
	widened := Got(a.CreatePartitions(background, 2, name))
	Must(widened.Error())
	Eventually("five partitions", func() bool { return len(Got(a.ListTopics(background, name))[name].Partitions) == 5 })
	refused(Got(a.UpdatePartitions(background, 2, name))[name].Err, kerr.InvalidPartitions)
	details := Got(a.ListTopics(background, name))[name]
	Equal(details.ID == kadm.TopicID{}, false)
	for _, p := range details.Partitions {
		Equal([]any{p.Leader, p.Replicas, p.ISR}, []any{int32(1), []int32{1}, []int32{1}})
	}
	_, err = a.DeleteTopic(background, name)
	Must(err)
	_, err = a.DeleteTopic(background, name)
	refused(err, kerr.UnknownTopicOrPartition)
}

func topicConfigs(t *T) {
	a := admin(t)
	defer a.Close()
	to := topic(t, "configured", 1, "retention.ms", "1000")
	value := func(key string) string {
		resource := Got(Got(a.DescribeTopicConfigs(background, to)).On(to, nil))
		Must(resource.Err)
		for _, config := range resource.Configs {
			if config.Key == key {
				return config.MaybeValue() + " " + config.Source.String()
			}
		}
		return ""
	}
	Equal(value("retention.ms"), "1000 DYNAMIC_TOPIC_CONFIG")
	Equal(value("retention.bytes"), "-1 DEFAULT_CONFIG")
	alter := func(op kadm.IncrementalOp, key, value string) error {
		configs := []kadm.AlterConfig{{Op: op, Name: key, Value: &value}}
		return Got(Got(a.AlterTopicConfigs(background, configs, to)).On(to, nil)).Err
	}
	Must(alter(kadm.SetConfig, "retention.bytes", "4096"))
	Equal(value("retention.bytes"), "4096 DYNAMIC_TOPIC_CONFIG")
	Must(alter(kadm.DeleteConfig, "retention.ms", ""))
	Equal(strings.HasPrefix(value("retention.ms"), "604800000"), true)
	refused(alter(kadm.SetConfig, "retention.ms", "soon"), kerr.InvalidConfig)
	refused(alter(kadm.SetConfig, "no.such", "1"), kerr.InvalidConfig)
	refused(alter(kadm.AppendConfig, "retention.ms", "1"), kerr.InvalidConfig)
	zstd := "zstd"
	whole := []kadm.AlterConfig{{Name: "compression.type", Value: &zstd}}
	Must(Got(Got(a.AlterTopicConfigsState(background, whole, to)).On(to, nil)).Err)
	Equal([]string{value("compression.type"), value("retention.bytes")}, []string{"zstd DYNAMIC_TOPIC_CONFIG", "-1 DEFAULT_CONFIG"})
	unknown := Got(Got(a.DescribeTopicConfigs(background, "no-such")).On("no-such", nil))
	refused(unknown.Err, kerr.UnknownTopicOrPartition)
}

func brokerConfigs(t *T) {
	a := admin(t)
	defer a.Close()
	value := func() string {
		for _, config := range Got(Got(a.DescribeBrokerConfigs(background, 1)).On("1", nil)).Configs {
			if config.Key == "log.retention.ms" {
				return config.MaybeValue() + " " + config.Source.String()
			}
		}
		return ""
	}
	day := "86400000"
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "log.retention.ms", Value: &day}}
	Must(Got(Got(a.AlterBrokerConfigs(background, set)).On("", nil)).Err)
	Eventually("a default of all brokers", func() bool { return value() == day+" DYNAMIC_DEFAULT_BROKER_CONFIG" })
	hour := "3600000"
	set[0].Value = &hour
	Must(Got(Got(a.AlterBrokerConfigs(background, set, 1)).On("1", nil)).Err)
	Eventually("one of this broker", func() bool { return value() == hour+" DYNAMIC_BROKER_CONFIG" })
	t.Kill9()
	Equal(value(), hour+" DYNAMIC_BROKER_CONFIG")
	set[0].Name = "log.dirs"
	refused(Got(Got(a.AlterBrokerConfigs(background, set, 1)).On("1", nil)).Err, kerr.InvalidRequest)
}

func groups(t *T) {
	a := admin(t)
	defer a.Close()
	to, group := topic(t, "grouped", 2), t.Name("group")
	send(t, numbers(to, 0, 20, 2))
	m := join(t, group, to)
	share(2, m)
	Eventually("all is seen", func() bool { return len(seenBy(m)) == 20 })
	listed := Got(a.ListGroups(background, "Stable"))[group]
	Equal([]string{listed.ProtocolType, listed.State}, []string{"consumer", "Stable"})
	Equal(slices.Contains(Got(a.ListGroups(background, "Empty")).Groups(), group), false)
	Equal(slices.Contains(Got(a.ListGroupsByType(background, []string{"classic"})).Groups(), group), true)
	Equal(slices.Contains(Got(a.ListGroupsByType(background, []string{"consumer"})).Groups(), group), false)
	described := Got(a.DescribeGroups(background, group))[group]
	Must(described.Err)
	Equal([]any{described.State, described.Protocol, len(described.Members)}, []any{"Stable", "cooperative-sticky", 1})
	assigned, ok := described.Members[0].Assigned.AsConsumer()
	Equal(ok, true)
	Equal(assigned.Topics[0].Topic, to)
	refused(Got(a.DeleteGroups(background, group))[group].Err, kerr.NonEmptyGroup)
	held := Got(a.DeleteOffsets(background, group, listedTopic(to)))
	refused(held.Error(), kerr.GroupSubscribedToTopic)
	m.leave()
	rewound := kadm.Offsets{}
	rewound.AddOffset(to, 0, 4, -1)
	Must(a.CommitAllOffsets(background, group, rewound))
	Equal(Got(a.Lag(background, group))[group].Lag.Total(), int64(6))
	Must(Got(a.DeleteOffsets(background, group, listedTopic(to))).Error())
	_, stored := Got(a.FetchOffsets(background, group)).Lookup(to, 0)
	Equal(stored, false)
	Must(Got(a.DeleteGroups(background, group))[group].Err)
	refused(Got(a.DeleteGroups(background, group))[group].Err, kerr.GroupIDNotFound)
	Equal(Got(a.DescribeGroups(background, group))[group].State, "Dead")
}

func deleteRecords(t *T) {
	a := admin(t)
	defer a.Close()
	to := topic(t, "shortened", 1)
	send(t, numbers(to, 0, 20, 1))
	until := func(offset int64) kadm.DeleteRecordsResponse {
		offsets := kadm.Offsets{}
		offsets.AddOffset(to, 0, offset, -1)
		return Got(a.DeleteRecords(background, offsets))[to][0]
	}
	response := until(7)
	Must(response.Err)
	Equal(response.LowWatermark, int64(7))
	Equal(values(read(t, to, 0, kgo.NewOffset().AtStart(), 13)), ints(7, 20))
	refused(until(21).Err, kerr.OffsetOutOfRange)
	Equal(until(-1).LowWatermark, int64(20))
	Equal(Got(a.ListStartOffsets(background, to))[to][0].Offset, int64(20))
}

func logDirs(t *T) {
	a := admin(t)
	defer a.Close()
	to := topic(t, "sized", 1)
	send(t, []*kgo.Record{{Topic: to, Value: Noise(10_000)}})
	all := Got(a.DescribeAllLogDirs(background, listedTopic(to)))
	Equal(len(all), 1)
	for _, dirs := range all {
		for _, dir := range dirs {
			Must(dir.Err)
			if size := dir.Topics[to][0].Size; size < 10_000 || size > 11_000 {
				Fail("a size of %d", size)
			}
			request := kadm.AlterReplicaLogDirsReq{}
			request.Add(dir.Dir, listedTopic(to))
			Must(Got(a.AlterAllReplicaLogDirs(background, request))[dir.Broker][to][0].Err)
		}
	}
	elsewhere := kadm.AlterReplicaLogDirsReq{}
	elsewhere.Add("/no/such/dir", listedTopic(to))
	refused(Got(a.AlterAllReplicaLogDirs(background, elsewhere))[1][to][0].Err, kerr.LogDirNotFound)
}

func cluster(t *T) {
	a := admin(t)
	defer a.Close()
	brokers := Got(a.ListBrokers(background))
	Equal(brokers.NodeIDs(), []int32{1})
	Equal(Got(a.BrokerMetadata(background)).Controller, int32(1))
	for _, versions := range Got(a.ApiVersions(background)) {
		Must(versions.Err)
		if most, ok := versions.KeyMaxVersion(0); !ok || most < 13 {
			Fail("Produce up to %d", most)
		}
	}
	to := topic(t, "elected", 1)
	send(t, numbers(to, 0, 5, 1))
	refused(Got(a.ElectLeaders(background, kadm.ElectPreferredReplica, listedTopic(to)))[to][0].Err, kerr.ElectionNotNeeded)
	Equal(len(Got(a.ListPartitionReassignments(background, nil))), 0)
	epochs := kadm.OffsetForLeaderEpochRequest{}
	epochs.Add(to, 0, 0)
	Equal(Got(a.OffsetForLeaderEpoch(background, epochs))[to][0].EndOffset, int64(5))
	coordinator := Got(a.FindGroupCoordinators(background, "g")["g"], nil)
	Must(coordinator.Err)
	Equal(coordinator.NodeID, int32(1))
}

func refusals(t *T) {
	a := admin(t)
	defer a.Close()
	acls := kadm.NewACLs().Allow("User:a").AllowHosts("*").Topics("t").Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)
	created := Got(a.CreateACLs(background, acls))
	refused(created[0].Err, kerr.SecurityDisabled)
	filter := kadm.NewACLs().AnyResource().Allow().AllowHosts().Deny().DenyHosts().Operations().ResourcePatternType(kadm.ACLPatternAny)
	described := Got(a.DescribeACLs(background, filter))
	refused(described[0].Err, kerr.SecurityDisabled)
	_, err := a.CreateDelegationToken(background, kadm.CreateDelegationToken{})
	refused(err, kerr.DelegationTokenRequestNotAllowed)
}
