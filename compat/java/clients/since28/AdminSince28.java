// What came to the AdminClient between 2.2 and 2.8.
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

public final class AdminSince28 {
    private AdminSince28() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties("default.api.timeout.ms", 5000,
                "request.timeout.ms", 5000))) {
            checks.check("admin: incrementalAlterConfigs of a topic", () -> topicConfigs(checks, admin));
            checks.check("admin: incrementalAlterConfigs of a broker", () -> brokerConfigs(admin));
            checks.check("admin: listOffsets", () -> offsets(checks, admin));
            checks.check("admin: alterConsumerGroupOffsets, deleteConsumerGroupOffsets", () -> groupOffsets(checks, admin));
            checks.check("admin: electLeaders", () -> elect(checks, admin));
            checks.check("admin: alterPartitionReassignments, listPartitionReassignments", () -> reassign(checks, admin));
            checks.check("admin: describeFeatures", () -> features(admin));
            checks.check("admin: topic ids and authorized operations", () -> details(checks, admin));
            checks.check("admin: unregisterBroker", () -> Checks.fails(
                "BrokerIdNotRegisteredException", () -> admin.unregisterBroker(77).all().get()));
        }
    }

    private static void alter(AdminClient admin, ConfigResource resource, AlterConfigOp.OpType type, String name,
            String value) throws Exception {
        Collection<AlterConfigOp> ops = List.of(new AlterConfigOp(new ConfigEntry(name, value), type));
        admin.incrementalAlterConfigs(Map.of(resource, ops)).all().get();
    }

    private static void topicConfigs(Checks checks, AdminClient admin) throws Exception {
        ConfigResource topic =
            new ConfigResource(ConfigResource.Type.TOPIC, Clients.topic(checks, admin, "alter", 1));
        alter(admin, topic, AlterConfigOp.OpType.SET, "retention.ms", "777");
        alter(admin, topic, AlterConfigOp.OpType.SET, "max.message.bytes", "888");
        Checks.equal("777", AdminBase.config(admin, topic).get("retention.ms").value());
        alter(admin, topic, AlterConfigOp.OpType.DELETE, "retention.ms", null);
        Checks.isTrue("a default again", !AdminBase.config(admin, topic).get("retention.ms").value().equals("777"));
        Checks.equal("888", AdminBase.config(admin, topic).get("max.message.bytes").value());
        alter(admin, topic, AlterConfigOp.OpType.APPEND, "cleanup.policy", "delete");
        Checks.equal("delete", AdminBase.config(admin, topic).get("cleanup.policy").value());
        Checks.fails("InvalidConfigurationException", () -> {
            alter(admin, topic, AlterConfigOp.OpType.APPEND, "retention.ms", "1");
            return "appended";
        });
        Checks.fails("InvalidConfigurationException", () -> {
            alter(admin, topic, AlterConfigOp.OpType.SET, "segment.bytes", "1");
            return "set";
        });
    }

    private static void brokerConfigs(AdminClient admin) throws Exception {
        ConfigResource one = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(AdminBase.node(admin)));
        ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
        alter(admin, all, AlterConfigOp.OpType.SET, "log.retention.ms", "700000");
        Checks.equal(ConfigEntry.ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
            AdminBase.config(admin, one).get("log.retention.ms").source());
        alter(admin, one, AlterConfigOp.OpType.SET, "log.retention.ms", "800000");
        Checks.equal("800000", AdminBase.config(admin, one).get("log.retention.ms").value());
        alter(admin, one, AlterConfigOp.OpType.DELETE, "log.retention.ms", null);
        Checks.equal("700000", AdminBase.config(admin, one).get("log.retention.ms").value());
        alter(admin, all, AlterConfigOp.OpType.DELETE, "log.retention.ms", null);
        Checks.fails("InvalidRequestException", () -> {
            alter(admin, one, AlterConfigOp.OpType.SET, "node.id", "5");
            return "set";
        });
    }

    private static void offsets(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "offsets", 1);
        TopicPartition only = new TopicPartition(name, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, name, 0, 0, 10);
        }
        Checks.equal(0L, offset(admin, only, OffsetSpec.earliest()).offset());
        Checks.equal(10L, offset(admin, only, OffsetSpec.latest()).offset());
        ListOffsetsResult.ListOffsetsResultInfo found = offset(admin, only, OffsetSpec.forTimestamp(1_000_004));
        Checks.equal(4L, found.offset());
        Checks.equal(1_000_004L, found.timestamp());
        Checks.equal(Optional.of(0), found.leaderEpoch());
        Checks.equal(-1L, offset(admin, only, OffsetSpec.forTimestamp(2_000_000)).offset());
    }

    static ListOffsetsResult.ListOffsetsResultInfo offset(AdminClient admin, TopicPartition of, OffsetSpec spec)
            throws Exception {
        return admin.listOffsets(Map.of(of, spec)).partitionResult(of).get();
    }

    private static void groupOffsets(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "offsets", 2);
        String group = checks.name("group");
        List<TopicPartition> both = Clients.partitions(name, 2);
        admin.alterConsumerGroupOffsets(group, Map.of(both.get(0), new OffsetAndMetadata(3), both.get(1),
            new OffsetAndMetadata(4, Optional.of(0), "four"))).all().get();
        Checks.equal(Map.of(both.get(0), new OffsetAndMetadata(3), both.get(1),
            new OffsetAndMetadata(4, Optional.of(0), "four")),
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        admin.deleteConsumerGroupOffsets(group, Set.of(both.get(0))).all().get();
        Checks.equal(Set.of(both.get(1)), admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().keySet());
        Checks.fails("GroupIdNotFoundException",
            () -> admin.deleteConsumerGroupOffsets(checks.name("missing"), Set.of(both.get(0))).all().get());
    }

    private static void elect(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "elect", 1);
        TopicPartition only = new TopicPartition(name, 0);
        TopicPartition missing = new TopicPartition("missing", 0);
        Map<TopicPartition, Optional<Throwable>> found =
            admin.electLeaders(ElectionType.PREFERRED, Set.of(only, missing)).partitions().get();
        Checks.equal("ElectionNotNeededException", found.get(only).get().getClass().getSimpleName());
        Checks.equal("UnknownTopicOrPartitionException", found.get(missing).get().getClass().getSimpleName());
    }

    private static void reassign(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "reassign", 1);
        TopicPartition only = new TopicPartition(name, 0);
        admin.alterPartitionReassignments(
            Map.of(only, Optional.of(new NewPartitionReassignment(List.of(AdminBase.node(admin)))))).all().get();
        Checks.equal(Map.of(), admin.listPartitionReassignments(Set.of(only)).reassignments().get());
        Checks.fails("NoReassignmentInProgressException",
            () -> admin.alterPartitionReassignments(Map.of(only, Optional.empty())).all().get());
        Checks.fails("InvalidReplicaAssignmentException", () -> admin.alterPartitionReassignments(
            Map.of(only, Optional.of(new NewPartitionReassignment(List.of(77))))).all().get());
    }

    private static void features(AdminClient admin) throws Exception {
        Checks.isTrue("metadata.version is known",
            admin.describeFeatures().featureMetadata().get().supportedFeatures().containsKey("metadata.version"));
        Checks.isTrue("metadata.version is final",
            admin.describeFeatures().featureMetadata().get().finalizedFeatures().containsKey("metadata.version"));
    }

    private static void details(Checks checks, AdminClient admin) throws Exception {
        Checks.isTrue("operations", admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true))
            .authorizedOperations().get().size() > 3);
        String name = checks.name("id");
        Checks.equal(2, admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(name, Optional.of(2),
            Optional.empty()))).numPartitions(name).get());
        Checks.isTrue("operations", Shim.describe(admin, List.of(name)).get(name).get().partitions().size() == 2);
    }
}
