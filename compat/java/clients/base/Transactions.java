// Transactions: committed, aborted, with the offsets of a group, and of a producer that another one has replaced.
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

public final class Transactions {
    private Transactions() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties())) {
            checks.check("transactions: what was committed is read, what was aborted is not", () -> isolated(checks, admin));
            checks.check("transactions: the offsets of a group", () -> offsets(checks, admin));
            checks.check("transactions: a zombie is fenced", () -> fenced(checks, admin));
            checks.check("transactions: one that takes too long is aborted", () -> timedOut(checks, admin));
        }
    }

    private static void isolated(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "isolated", 2);
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", checks.name("tx"));
                KafkaConsumer<String, String> committed = Clients.consumer(checks, "isolation.level", "read_committed")) {
            committed.assign(Clients.partitions(topic, 2));
            producer.initTransactions();
            for (int i = 0; i < 6; i++) {
                producer.beginTransaction();
                Clients.fill(producer, topic, 0, i * 10, i * 10 + 5);
                Clients.fill(producer, topic, 1, i * 10 + 5, i * 10 + 10);
                Checks.equal(0, committed.poll(Duration.ofMillis(50)).count());
                if (i % 2 == 1) {
                    producer.abortTransaction();
                    Checks.equal(0, committed.poll(Duration.ofMillis(200)).count());
                } else {
                    producer.commitTransaction();
                    Checks.equalSorted(Clients.numbers(i * 10, i * 10 + 10), Clients.values(Clients.read(committed, 10)));
                }
            }
        }
        Checks.equal(60, Clients.all(checks, topic, 2).size());
        Checks.equal(30, Clients.all(checks, topic, 2, "isolation.level", "read_committed").size());
    }

    private static void offsets(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "offsets", 1);
        String group = checks.name("group");
        TopicPartition only = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", checks.name("tx"));
                KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group)) {
            consumer.subscribe(List.of(topic));
            Checks.eventually("an assignment", () -> {
                consumer.poll(Duration.ofMillis(50));
                return !consumer.assignment().isEmpty();
            });
            producer.initTransactions();
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "a"));
            Shim.sendOffsets(producer, Map.of(only, new OffsetAndMetadata(7, "aborted")), consumer, group);
            producer.abortTransaction();
            Checks.equal(null, Shim.committed(consumer, only));
            producer.beginTransaction();
            producer.send(new ProducerRecord<>(topic, "b"));
            Shim.sendOffsets(producer, Map.of(only, new OffsetAndMetadata(1, "committed")), consumer, group);
            producer.commitTransaction();
            Checks.eventually("the offset", () -> new OffsetAndMetadata(1, "committed").equals(Shim.committed(consumer, only)));
        }
    }

    private static void fenced(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "fenced", 1);
        String id = checks.name("tx");
        try (KafkaProducer<String, String> zombie = Clients.producer(checks, "transactional.id", id);
                KafkaProducer<String, String> heir = Clients.producer(checks, "transactional.id", id)) {
            zombie.initTransactions();
            zombie.beginTransaction();
            Clients.fill(zombie, topic, 0, 0, 3);
            heir.initTransactions();
            Checks.fails("ProducerFencedException|InvalidProducerEpochException", () -> {
                zombie.send(new ProducerRecord<>(topic, "late"));
                zombie.commitTransaction();
                return "committed";
            });
            heir.beginTransaction();
            Clients.fill(heir, topic, 0, 3, 6);
            heir.commitTransaction();
        }
        Checks.equal(Clients.numbers(3, 6),
            Clients.values(Clients.all(checks, topic, 1, "isolation.level", "read_committed")));
    }

    private static void timedOut(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "late", 1);
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "transactional.id", checks.name("tx"),
                "transaction.timeout.ms", 600)) {
            producer.initTransactions();
            producer.beginTransaction();
            Clients.fill(producer, topic, 0, 0, 3);
            try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "isolation.level", "read_committed")) {
                List<TopicPartition> assigned = Clients.partitions(topic, 1);
                consumer.assign(assigned);
                Checks.equal(0L, consumer.endOffsets(assigned).get(assigned.get(0)));
                Checks.eventually("the broker aborts it", () -> consumer.endOffsets(assigned).get(assigned.get(0)) == 4L);
                Checks.equal(0, consumer.poll(Duration.ofMillis(200)).count());
            }
            try {
                producer.commitTransaction();
                throw new AssertionError("it was committed");
            } catch (org.apache.kafka.common.KafkaException expected) {
                Checks.isTrue(String.valueOf(expected), expected.toString().matches(".*(Fenced|Epoch|TxnState|transition).*"));
            }
        }
    }
}
