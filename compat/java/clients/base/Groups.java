// Groups: offsets and their metadata, rebalances with the assignors that stop the world, patterns, a member that is late.
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;

public final class Groups {
    static final String ASSIGNORS = "org.apache.kafka.clients.consumer.";

    private Groups() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties())) {
            checks.check("group: commits and their metadata", () -> commits(checks, admin));
            checks.check("group: auto commit", () -> autoCommit(checks, admin));
            for (String assignor : new String[] {"RangeAssignor", "RoundRobinAssignor", "StickyAssignor"}) {
                checks.check("group: " + assignor + ", members come and go", () -> {
                    List<Member> members = comeAndGo(checks, admin, ASSIGNORS + assignor);
                    for (Member member : members) Checks.isTrue("nothing was revoked", member.revoked > 0);
                });
            }
            checks.check("group: subscription by pattern", () -> pattern(checks, admin));
            checks.check("group: a member that does not poll is put out", () -> slow(checks, admin));
        }
    }

    private static void commits(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "commits", 2);
        String group = checks.name("group");
        TopicPartition first = new TopicPartition(topic, 0);
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group)) {
            consumer.assign(Clients.partitions(topic, 2));
            Checks.equal(null, Shim.committed(consumer, first));
            consumer.commitSync(Map.of(first, new OffsetAndMetadata(3, "größe")));
            Checks.equal(new OffsetAndMetadata(3, "größe"), Shim.committed(consumer, first));
            AtomicReference<Object> answer = new AtomicReference<>();
            consumer.commitAsync(Map.of(first, new OffsetAndMetadata(4)),
                (offsets, error) -> answer.set(error == null ? offsets : error));
            Checks.eventually("an answer to commitAsync", () -> {
                consumer.poll(Duration.ofMillis(20));
                return answer.get() != null;
            });
            Checks.equal(Map.of(first, new OffsetAndMetadata(4)), answer.get());
            Checks.fails("OffsetMetadataTooLarge", () -> {
                consumer.commitSync(Map.of(first, new OffsetAndMetadata(5, "x".repeat(5000))));
                return "committed";
            });
            Checks.equal(4L, Shim.committed(consumer, first).offset());
        }
    }

    private static void autoCommit(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "auto", 1);
        String group = checks.name("group");
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, topic, 0, 0, 20);
        }
        for (int from = 0; from < 20; from += 10) {
            try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group,
                    "enable.auto.commit", "true", "max.poll.records", 10)) {
                consumer.subscribe(List.of(topic));
                Checks.equal(Clients.numbers(from, from + 10), Clients.values(Clients.read(consumer, 10)));
            }
        }
    }

    /** A consumer in a thread of its own, and what it is told about its partitions. */
    static final class Member implements ConsumerRebalanceListener {
        final Set<TopicPartition> owned = ConcurrentHashMap.newKeySet();
        final Set<String> seen = ConcurrentHashMap.newKeySet();
        final AtomicReference<Throwable> failed = new AtomicReference<>();
        volatile int revoked;
        volatile int assignments;
        private volatile boolean isStopping;
        private final Thread thread;

        Member(Checks checks, String topic, Object... config) {
            thread = new Thread(() -> {
                try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, config)) {
                    consumer.subscribe(List.of(topic), this);
                    while (!isStopping) {
                        consumer.poll(Duration.ofMillis(50)).forEach(record -> seen.add(record.value()));
                        try {
                            consumer.commitSync();
                        } catch (RebalanceInProgressException | CommitFailedException error) {
                            // In the middle of a rebalance; it commits with the next ones.
                        }
                    }
                } catch (Throwable error) {
                    failed.set(error);
                }
            });
            thread.start();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            owned.addAll(partitions);
            assignments++;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            owned.removeAll(partitions);
            revoked += partitions.size();
        }

        void stop() throws InterruptedException {
            isStopping = true;
            thread.join();
        }

        void expectWell() {
            if (failed.get() != null) throw new AssertionError(failed.get());
        }
    }

    private static boolean shared(List<Member> members, int partitions) {
        Set<TopicPartition> all = new HashSet<>();
        int sum = 0;
        for (Member member : members) {
            if (member.owned.size() < partitions / members.size()) return false;
            all.addAll(member.owned);
            sum += member.owned.size();
        }
        return all.size() == partitions && sum == partitions;
    }

    /** One member after the other joins and shares; then the first leaves. Returns those that had to give something up. */
    static List<Member> comeAndGo(Checks checks, AdminClient admin, String assignor) throws Exception {
        String topic = Clients.topic(checks, admin, "shared", 6);
        Object[] config = {"group.id", checks.name("group"), "partition.assignment.strategy", assignor};
        List<Member> members = new ArrayList<>();
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            for (int i = 0; i < 3; i++) {
                for (int partition = 0; partition < 6; partition++) {
                    int from = (i * 6 + partition) * 10;
                    Clients.fill(producer, topic, partition, from, from + 10);
                }
                members.add(new Member(checks, topic, config));
                Checks.eventually("shared by " + members.size(), () -> shared(members, 6));
            }
            members.get(0).stop();
            Checks.eventually("shared by the other two", () -> shared(members.subList(1, 3), 6));
            Clients.fill(producer, topic, 0, 180, 190);
            Checks.eventually("every record seen", () -> {
                Set<String> all = new HashSet<>();
                members.forEach(member -> all.addAll(member.seen));
                return all.equals(new HashSet<>(Clients.numbers(0, 190)));
            });
        } finally {
            for (Member member : members) member.stop();
            members.forEach(Member::expectWell);
        }
        return members.subList(0, 2);
    }

    private static void pattern(Checks checks, AdminClient admin) throws Exception {
        String one = Clients.topic(checks, admin, "pattern", 1);
        String group = checks.name("group");
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "group.id", group,
                "metadata.max.age.ms", 200)) {
            consumer.subscribe(Pattern.compile(one + ".*"));
            Checks.eventually("the first topic", () -> {
                consumer.poll(Duration.ofMillis(50));
                return consumer.assignment().size() == 1;
            });
            admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(one + "-more", 2, (short) 1))).all().get();
            Checks.eventually("the new topic", () -> {
                consumer.poll(Duration.ofMillis(50));
                return consumer.assignment().size() == 3;
            });
        }
    }

    private static void slow(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "slow", 1);
        Object[] config = {"group.id", checks.name("group"), "max.poll.interval.ms", 500};
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, config)) {
            consumer.subscribe(List.of(topic));
            Checks.eventually("an assignment", () -> {
                consumer.poll(Duration.ofMillis(50));
                return !consumer.assignment().isEmpty();
            });
            Member other = new Member(checks, topic, config);
            try {
                Checks.eventually("the other one has it", () -> other.owned.size() == 1);
                Checks.fails("CommitFailedException", () -> {
                    consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(0)));
                    return "committed";
                });
            } finally {
                other.stop();
            }
        }
    }
}
