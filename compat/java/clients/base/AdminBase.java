// What the AdminClient of 2.1 can do.
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;

public final class AdminBase {
    private AdminBase() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties("default.api.timeout.ms", 5000,
                "request.timeout.ms", 5000))) {
            checks.check("admin: describeCluster", () -> cluster(admin));
            checks.check("admin: createTopics", () -> create(checks, admin));
            checks.check("admin: listTopics, describeTopics", () -> describe(checks, admin));
            checks.check("admin: createPartitions", () -> widen(checks, admin));
            checks.check("admin: deleteTopics", () -> delete(checks, admin));
            checks.check("admin: describeConfigs", () -> configs(checks, admin));
            checks.check("admin: deleteRecords", () -> deleteRecords(checks, admin));
            checks.check("admin: describeLogDirs, describeReplicaLogDirs", () -> logDirs(checks, admin));
            checks.check("admin: alterReplicaLogDirs", () -> moveLogDirs(checks, admin));
            checks.check("admin: listConsumerGroups, describeConsumerGroups, listConsumerGroupOffsets, deleteConsumerGroups",
                () -> groups(checks, admin));
            checks.check("admin: describeAcls, createAcls, deleteAcls without an authorizer", () -> acls(admin));
            checks.check("admin: delegation tokens without a secret", () -> tokens(admin));
            checks.check("admin: metrics", () -> Checks.isTrue("there are some", !admin.metrics().isEmpty()));
        }
    }

    private static void cluster(AdminClient admin) throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        Collection<Node> nodes = cluster.nodes().get();
        Checks.equal(1, nodes.size());
        Checks.equal(nodes.iterator().next(), cluster.controller().get());
        Checks.equal(22, cluster.clusterId().get().length());
    }

    private static NewTopic topic(String name, int partitions) {
        return new NewTopic(name, partitions, (short) 1);
    }

    private static void create(Checks checks, AdminClient admin) throws Exception {
        String name = checks.name("create");
        admin.createTopics(List.of(topic(name, 3)), new CreateTopicsOptions().validateOnly(true)).all().get();
        Checks.isTrue("only validated", !admin.listTopics().names().get().contains(name));
        admin.createTopics(List.of(topic(name, 3).configs(Map.of("retention.ms", "12345")),
            new NewTopic(name + "-by-hand", Map.of(0, List.of(node(admin)), 1, List.of(node(admin)))))).all().get();
        Checks.equal(2, partitionsOf(admin, name + "-by-hand"));
        Checks.fails("TopicExistsException", () -> admin.createTopics(List.of(topic(name, 1))).all().get());
        Checks.fails("InvalidTopicException", () -> admin.createTopics(List.of(topic("no/slash", 1))).all().get());
        Checks.fails("InvalidPartitionsException", () -> admin.createTopics(List.of(topic(name + 0, 0))).all().get());
        Checks.fails("InvalidReplicationFactorException",
            () -> admin.createTopics(List.of(new NewTopic(name + 1, 1, (short) 3))).all().get());
        Checks.fails("InvalidReplicaAssignmentException",
            () -> admin.createTopics(List.of(new NewTopic(name + 2, Map.of(0, List.of(77))))).all().get());
        Checks.fails("InvalidConfigurationException",
            () -> admin.createTopics(List.of(topic(name + 3, 1).configs(Map.of("no.such", "1")))).all().get());
    }

    static int node(AdminClient admin) throws Exception {
        return admin.describeCluster().controller().get().id();
    }

    static int partitionsOf(AdminClient admin, String topic) throws Exception {
        return Shim.describe(admin, List.of(topic)).get(topic).get().partitions().size();
    }

    private static void describe(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "describe", 3);
        Checks.isTrue("listed", admin.listTopics().names().get().contains(name));
        Checks.isTrue("not internal", !admin.listTopics(new ListTopicsOptions().listInternal(true)).namesToListings()
            .get().get(name).isInternal());
        TopicDescription topic = Shim.describe(admin, List.of(name)).get(name).get();
        Checks.equal(3, topic.partitions().size());
        topic.partitions().forEach(partition -> {
            Checks.equal(partition.leader().id(), partition.replicas().get(0).id());
            Checks.equal(partition.replicas(), partition.isr());
        });
        Checks.fails("UnknownTopicOrPartitionException",
            () -> Shim.describe(admin, List.of("missing")).get("missing").get());
    }

    private static void widen(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "widen", 1);
        admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all().get();
        Checks.equal(3, partitionsOf(admin, name));
        admin.createPartitions(Map.of(name, NewPartitions.increaseTo(4, List.of(List.of(node(admin)))))).all().get();
        Checks.fails("InvalidPartitionsException",
            () -> admin.createPartitions(Map.of(name, NewPartitions.increaseTo(2))).all().get());
        Checks.fails("InvalidReplicaAssignmentException",
            () -> admin.createPartitions(Map.of(name, NewPartitions.increaseTo(5, List.of(List.of(77))))).all().get());
        Checks.fails("UnknownTopicOrPartitionException",
            () -> admin.createPartitions(Map.of("missing", NewPartitions.increaseTo(5))).all().get());
        Checks.equal(4, partitionsOf(admin, name));
    }

    private static void delete(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "delete", 1);
        admin.deleteTopics(List.of(name)).all().get();
        Checks.isTrue("gone", !admin.listTopics().names().get().contains(name));
        Checks.fails("UnknownTopicOrPartitionException", () -> admin.deleteTopics(List.of(name)).all().get());
    }

    static Map<String, ConfigEntry> config(AdminClient admin, ConfigResource resource) throws Exception {
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        return config.entries().stream().collect(Collectors.toMap(ConfigEntry::name, entry -> entry));
    }

    private static void configs(Checks checks, AdminClient admin) throws Exception {
        String name = checks.name("configs");
        admin.createTopics(List.of(topic(name, 1).configs(Map.of("retention.ms", "12345")))).all().get();
        Map<String, ConfigEntry> topic = config(admin, new ConfigResource(ConfigResource.Type.TOPIC, name));
        Checks.equal("12345", topic.get("retention.ms").value());
        Checks.equal(ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, topic.get("retention.ms").source());
        Checks.equal(ConfigEntry.ConfigSource.DEFAULT_CONFIG, topic.get("segment.bytes").source());
        Checks.equal("1073741824", topic.get("segment.bytes").value());
        Checks.isTrue("many keys", topic.size() > 25);
        Map<String, ConfigEntry> broker =
            config(admin, new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(node(admin))));
        Checks.isTrue("read only", broker.get("node.id").isReadOnly());
        Checks.isTrue("many keys", broker.size() > 200);
        Checks.fails("UnknownTopicOrPartitionException",
            () -> config(admin, new ConfigResource(ConfigResource.Type.TOPIC, "missing")));
    }

    private static void deleteRecords(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "records", 1);
        TopicPartition only = new TopicPartition(name, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, name, 0, 0, 10);
        }
        Checks.equal(4L, admin.deleteRecords(Map.of(only, RecordsToDelete.beforeOffset(4))).lowWatermarks().get(only).get().lowWatermark());
        Checks.equal(Clients.numbers(4, 10), Clients.values(Clients.all(checks, name, 1)));
        Checks.fails("OffsetOutOfRangeException",
            () -> admin.deleteRecords(Map.of(only, RecordsToDelete.beforeOffset(11))).all().get());
        Checks.equal(10L, admin.deleteRecords(Map.of(only, RecordsToDelete.beforeOffset(-1))).lowWatermarks().get(only).get().lowWatermark());
        Checks.equal(0, Clients.all(checks, name, 1).size());
    }

    private static void logDirs(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "dirs", 1);
        TopicPartition only = new TopicPartition(name, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, name, 0, 0, 10);
        }
        Map<String, Map<TopicPartition, Long>> dirs = Shim.logDirs(admin, node(admin));
        Checks.equal(1, dirs.size());
        String dir = dirs.keySet().iterator().next();
        Checks.isTrue("has bytes", dirs.get(dir).get(only) > 100);
        TopicPartitionReplica replica = new TopicPartitionReplica(name, 0, node(admin));
        Checks.equal(dir, admin.describeReplicaLogDirs(List.of(replica)).values().get(replica).get().getCurrentReplicaLogDir());
    }

    private static void moveLogDirs(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "move", 1);
        TopicPartitionReplica replica = new TopicPartitionReplica(name, 0, node(admin));
        String here = Shim.logDirs(admin, node(admin)).keySet().iterator().next();
        admin.alterReplicaLogDirs(Map.of(replica, here)).all().get();
        Checks.fails("LogDirNotFoundException", () -> admin.alterReplicaLogDirs(Map.of(replica, "/nowhere")).all().get());
    }

    private static void groups(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "groups", 2);
        String group = checks.name("group");
        TopicPartition first = new TopicPartition(name, 0);
        Groups.Member member = new Groups.Member(checks, name, "group.id", group, "client.id", "it");
        try {
            Checks.eventually("assigned", () -> member.owned.size() == 2);
            Checks.eventually("stable", () -> describe(admin, group).state().toString().equals("Stable"));
            ConsumerGroupDescription description = describe(admin, group);
            Checks.equal("range", description.partitionAssignor());
            Checks.equal(false, description.isSimpleConsumerGroup());
            Checks.equal(node(admin), description.coordinator().id());
            Checks.equal(1, description.members().size());
            description.members().forEach(one -> {
                Checks.equal("it", one.clientId());
                Checks.equal("/127.0.0.1", one.host());
                Checks.equal(Set.copyOf(Clients.partitions(name, 2)), one.assignment().topicPartitions());
            });
            Checks.fails("GroupNotEmptyException", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        } finally {
            member.stop();
        }
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group)) {
            consumer.commitSync(Map.of(first, new OffsetAndMetadata(5, "five")));
        }
        Checks.isTrue("listed", admin.listConsumerGroups().valid().get().stream().anyMatch(of -> of.groupId().equals(group)));
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>(
            admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get());
        Checks.equal(new OffsetAndMetadata(5, "five"), offsets.get(first));
        List<String> states = new ArrayList<>();
        states.add(describe(admin, group).state().toString());
        Checks.equal(List.of("Empty"), states);
        admin.deleteConsumerGroups(List.of(group)).all().get();
        Checks.fails("GroupIdNotFoundException", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
    }

    private static ConsumerGroupDescription describe(AdminClient admin, String group) throws Exception {
        return admin.describeConsumerGroups(List.of(group)).all().get().get(group);
    }

    private static void acls(AdminClient admin) throws Exception {
        Checks.fails("SecurityDisabledException", () -> admin.describeAcls(AclBindingFilter.ANY).values().get());
        Checks.fails("SecurityDisabledException", () -> admin.createAcls(List.of(new org.apache.kafka.common.acl.AclBinding(
            new org.apache.kafka.common.resource.ResourcePattern(org.apache.kafka.common.resource.ResourceType.TOPIC, "t",
                org.apache.kafka.common.resource.PatternType.LITERAL),
            new org.apache.kafka.common.acl.AccessControlEntry("User:u", "*",
                org.apache.kafka.common.acl.AclOperation.READ, org.apache.kafka.common.acl.AclPermissionType.ALLOW)))).all().get());
        Checks.fails("SecurityDisabledException", () -> admin.deleteAcls(List.of(AclBindingFilter.ANY)).all().get());
    }

    private static void tokens(AdminClient admin) throws Exception {
        String refused = "DelegationTokenDisabledException|UnsupportedByAuthenticationException";
        for (java.util.concurrent.Callable<?> call : List.<java.util.concurrent.Callable<?>>of(
                () -> admin.createDelegationToken().delegationToken().get(),
                () -> admin.describeDelegationToken().delegationTokens().get(),
                () -> admin.renewDelegationToken(new byte[] {1}).expiryTimestamp().get(),
                () -> admin.expireDelegationToken(new byte[] {1}).expiryTimestamp().get())) {
            try {
                throw new AssertionError("answered with " + call.call());
            } catch (java.util.concurrent.ExecutionException error) {
                Checks.isTrue(String.valueOf(error), error.getCause().getClass().getSimpleName().matches(refused));
            }
        }
    }
}
