// What came to the AdminClient between 3.0 and 3.9.
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.TransactionDescription;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

public final class AdminSince39 {
    private AdminSince39() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties("default.api.timeout.ms", 5000,
                "request.timeout.ms", 5000))) {
            checks.check("admin: describeTopics and deleteTopics by id", () -> ids(checks, admin));
            checks.check("admin: listOffsets of the latest time", () -> latestTime(checks, admin));
            checks.check("admin: listConsumerGroupOffsets of several groups", () -> severalGroups(checks, admin));
            checks.check("admin: describeProducers, listTransactions, describeTransactions, abortTransaction",
                () -> transactions(checks, admin));
            checks.check("admin: fenceProducers", () -> fence(checks, admin));
            checks.check("admin: describeMetadataQuorum", () -> quorum(admin));
            checks.check("admin: addRaftVoter, removeRaftVoter are refused", () -> voters(admin));
            checks.check("consumer: group metadata and enforceRebalance", () -> rejoin(checks, admin));
        }
    }

    private static void ids(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "ids", 2);
        Uuid id = admin.listTopics().namesToListings().get().get(name).topicId();
        Checks.equal(name, admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).topicIdValues().get(id).get().name());
        Checks.fails("UnknownTopicIdException", () -> admin.describeTopics(
            TopicCollection.ofTopicIds(List.of(Uuid.randomUuid()))).allTopicIds().get());
        admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get();
        Checks.isTrue("gone", !admin.listTopics().names().get().contains(name));
        Checks.fails("UnknownTopicIdException", () -> admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all().get());
    }

    private static void latestTime(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "latest", 1);
        TopicPartition only = new TopicPartition(name, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, name, 0, 100, 105);
            Clients.fill(producer, name, 0, 0, 5);
        }
        Checks.equal(4L, AdminSince28.offset(admin, only, OffsetSpec.maxTimestamp()).offset());
        Checks.equal(1_000_104L, AdminSince28.offset(admin, only, OffsetSpec.maxTimestamp()).timestamp());
    }

    private static void severalGroups(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "several", 1);
        TopicPartition only = new TopicPartition(name, 0);
        String one = checks.name("group");
        String two = checks.name("group");
        admin.alterConsumerGroupOffsets(one, Map.of(only, new OffsetAndMetadata(1))).all().get();
        admin.alterConsumerGroupOffsets(two, Map.of(only, new OffsetAndMetadata(2))).all().get();
        Map<String, Map<TopicPartition, OffsetAndMetadata>> all = admin.listConsumerGroupOffsets(
            Map.of(one, new ListConsumerGroupOffsetsSpec(), two, new ListConsumerGroupOffsetsSpec())).all().get();
        Checks.equal(1L, all.get(one).get(only).offset());
        Checks.equal(2L, all.get(two).get(only).offset());
    }

    private static void transactions(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "open", 1);
        TopicPartition only = new TopicPartition(name, 0);
        String id = checks.name("tx");
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", id)) {
            producer.initTransactions();
            producer.beginTransaction();
            Clients.fill(producer, name, 0, 0, 3);
            TransactionDescription open = admin.describeTransactions(List.of(id)).description(id).get();
            Checks.equal(TransactionState.ONGOING, open.state());
            Checks.equal(Set.of(only), open.topicPartitions());
            Checks.equal(60_000L, open.transactionTimeoutMs());
            Checks.isTrue("listed", admin.listTransactions(new ListTransactionsOptions()
                .filterStates(Set.of(TransactionState.ONGOING))).all().get().stream().anyMatch(of -> of.transactionalId().equals(id)));
            Checks.isTrue("by producer", admin.listTransactions(new ListTransactionsOptions()
                .filterProducerIds(Set.of(open.producerId()))).all().get().size() == 1);
            List<ProducerState> states = admin.describeProducers(List.of(only)).partitionResult(only).get().activeProducers();
            Checks.equal(1, states.size());
            ProducerState state = states.get(0);
            Checks.equal(open.producerId(), state.producerId());
            Checks.equal(0L, state.currentTransactionStartOffset().getAsLong());
            Checks.equal(2, state.lastSequence());
            admin.abortTransaction(new AbortTransactionSpec(only, state.producerId(), (short) state.producerEpoch(),
                state.coordinatorEpoch().orElse(0))).all().get();
            Checks.eventually("no longer open", () -> admin.describeProducers(List.of(only)).partitionResult(only).get()
                .activeProducers().get(0).currentTransactionStartOffset().isEmpty());
        }
        Checks.equal(0, Clients.all(checks, name, 1, "isolation.level", "read_committed").size());
        Checks.fails("TransactionalIdNotFoundException",
            () -> admin.describeTransactions(List.of("missing")).all().get());
    }

    private static void fence(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "fence", 1);
        String id = checks.name("tx");
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", id)) {
            producer.initTransactions();
            producer.beginTransaction();
            Clients.fill(producer, name, 0, 0, 3);
            admin.fenceProducers(List.of(id)).all().get();
            Checks.fails("ProducerFencedException|InvalidProducerEpochException", () -> {
                producer.commitTransaction();
                return "committed";
            });
        }
    }

    private static void quorum(AdminClient admin) throws Exception {
        QuorumInfo quorum = admin.describeMetadataQuorum().quorumInfo().get();
        Checks.equal(AdminBase.node(admin), quorum.leaderId());
        Checks.equal(1, quorum.voters().size());
        Checks.isTrue("an end", quorum.highWatermark() > 0);
        Checks.equal(0, quorum.observers().size());
    }

    private static void voters(AdminClient admin) throws Exception {
        for (java.util.concurrent.Callable<?> call : List.<java.util.concurrent.Callable<?>>of(
                () -> admin.addRaftVoter(7, Uuid.randomUuid(), Set.of(
                    new org.apache.kafka.clients.admin.RaftVoterEndpoint("CONTROLLER", "127.0.0.1", 9))).all().get(),
                () -> admin.removeRaftVoter(7, Uuid.randomUuid()).all().get())) {
            Checks.fails("UnsupportedVersionException", call);
        }
    }

    private static void rejoin(Checks checks, AdminClient admin) throws Exception {
        String name = Clients.topic(checks, admin, "rejoin", 1);
        try (var consumer = Clients.consumer(checks, "group.id", checks.name("group"))) {
            consumer.subscribe(List.of(name));
            Checks.eventually("an assignment", () -> {
                consumer.poll(Duration.ofMillis(50));
                return !consumer.assignment().isEmpty();
            });
            int generation = consumer.groupMetadata().generationId();
            consumer.enforceRebalance("for a look");
            Checks.eventually("a new generation", () -> {
                consumer.poll(Duration.ofMillis(50));
                return consumer.groupMetadata().generationId() > generation;
            });
        }
    }
}
