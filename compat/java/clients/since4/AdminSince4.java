// What came to the AdminClient with 4.x, and what this client does in another way than older ones.
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ClassicGroupDescription;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.clients.admin.ListGroupsOptions;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;

public final class AdminSince4 {
    private AdminSince4() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties("default.api.timeout.ms", 5000,
                "request.timeout.ms", 5000))) {
            checks.check("admin: listGroups, describeClassicGroups", () -> groups(checks, admin));
            checks.check("admin: listConfigResources", () -> resources(checks, admin));
            checks.check("admin: describeTopics in pages", () -> pages(checks, admin));
            checks.check("admin: listOffsets of tiers", () -> tiers(checks, admin));
            checks.check("admin: forceTerminateTransaction", () -> terminate(checks, admin));
            checks.check("admin: listTransactions by pattern", () -> pattern(checks, admin));
        }
    }

    private static void groups(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "groups", 1);
        String group = checks.name("group");
        Groups.Member member = new Groups.Member(checks, name, "group.id", group);
        try {
            Checks.eventually("assigned", () -> member.owned.size() == 1);
            Collection<GroupListing> all = admin.listGroups(new ListGroupsOptions().withTypes(Set.of(GroupType.CLASSIC))).all().get();
            GroupListing listing = all.stream().filter(of -> of.groupId().equals(group)).findFirst().get();
            Checks.equal("consumer", listing.protocol());
            ClassicGroupDescription description =
                admin.describeClassicGroups(List.of(group)).all().get().get(group);
            Checks.equal("range", description.protocolData());
            Checks.equal(1, description.members().size());
            Checks.fails("GroupIdNotFoundException", () -> admin.describeClassicGroups(List.of("missing")).all().get());
            Checks.fails("GroupIdNotFoundException", () -> admin.describeConsumerGroups(List.of("missing")).all().get());
        } finally {
            member.stop();
        }
    }

    private static void resources(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "resources", 1);
        Collection<ConfigResource> topics = admin.listConfigResources(Set.of(ConfigResource.Type.TOPIC),
            new ListConfigResourcesOptions()).all().get();
        Checks.isTrue("the topic", topics.contains(new ConfigResource(ConfigResource.Type.TOPIC, name)));
        Collection<ConfigResource> brokers = admin.listConfigResources(Set.of(ConfigResource.Type.BROKER),
            new ListConfigResourcesOptions()).all().get();
        Checks.isTrue("the broker", brokers.contains(
            new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(AdminBase.node(admin)))));
    }

    private static void pages(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "pages", 23);
        var options = new org.apache.kafka.clients.admin.DescribeTopicsOptions().partitionSizeLimitPerResponse(5);
        Checks.equal(23, admin.describeTopics(List.of(name), options).allTopicNames().get().get(name).partitions().size());
    }

    private static void tiers(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "tiers", 1);
        TopicPartition only = new TopicPartition(name, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, name, 0, 0, 5);
        }
        Checks.equal(0L, AdminSince28.offset(admin, only, OffsetSpec.earliestLocal()).offset());
        Checks.equal(-1L, AdminSince28.offset(admin, only, OffsetSpec.latestTiered()).offset());
    }

    private static void terminate(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "terminate", 1);
        String id = checks.name("tx");
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", id)) {
            producer.initTransactions();
            producer.beginTransaction();
            Clients.fill(producer, name, 0, 0, 3);
            admin.forceTerminateTransaction(id).result().get();
            // Aborted, and begun anew by whoever did the fencing.
            Checks.equal(TransactionState.EMPTY, admin.describeTransactions(List.of(id)).description(id).get().state());
            Checks.fails("ProducerFencedException|InvalidProducerEpochException", () -> {
                producer.commitTransaction();
                return "committed";
            });
        }
    }

    private static void pattern(Checks checks, AdminClient admin) throws Exception {
        String id = checks.name("pattern");
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", id)) {
            producer.initTransactions();
        }
        Checks.equal(1, admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern(id + ".*")).all().get().size());
        Checks.equal(0, admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("none-" + id)).all().get().size());
    }
}
