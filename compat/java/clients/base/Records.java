// Producing in every way, and consuming by assignment: codecs, acknowledgements, headers, seeks, times, limits.
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

public final class Records {
    private Records() {}

    public static void run(Checks checks, Main.Broker broker) {
        try (AdminClient admin = AdminClient.create(checks.properties())) {
            for (String acks : new String[] {"0", "1", "all"}) {
                checks.check("producer: acks=" + acks + ", every codec, headers", () -> codecs(checks, admin, acks));
            }
            checks.check("producer: idempotent, five in flight", () -> idempotent(checks, admin));
            checks.check("producer: sizes", () -> sizes(checks, admin));
            checks.check("producer: partitions of topics, keys decide", () -> keys(checks, admin));
            checks.check("consumer: seeks, positions, pause", () -> seeks(checks, admin));
            checks.check("consumer: offsetsForTimes", () -> times(checks, admin));
            checks.check("consumer: without an offset", () -> resets(checks, admin));
        }
    }

    private static List<Header> headers(int i) {
        List<Header> headers = new ArrayList<>();
        if (i % 3 == 0) headers.add(new RecordHeader("größe-👑", "wert-値".getBytes(StandardCharsets.UTF_8)));
        if (i % 4 == 0) headers.add(new RecordHeader("empty", new byte[0]));
        if (i % 5 == 0) headers.add(new RecordHeader("none", (byte[]) null));
        return headers;
    }

    private static String shown(Iterable<Header> headers) {
        StringBuilder text = new StringBuilder();
        for (Header header : headers) {
            byte[] value = header.value();
            text.append(header.key()).append('=')
                .append(value == null ? "null" : new String(value, StandardCharsets.UTF_8)).append(';');
        }
        return text.toString();
    }

    private static void codecs(Checks checks, AdminClient admin, String acks) throws Exception {
        String topic = Clients.topic(checks, admin, "codecs", 1);
        List<String> expected = new ArrayList<>();
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            try (KafkaProducer<String, String> producer = Clients.producer(checks, "acks", acks,
                    "enable.idempotence", "false", "compression.type", codec, "linger.ms", 20)) {
                List<Future<RecordMetadata>> sent = new ArrayList<>();
                for (int i = 0; i < 30; i++) {
                    String key = i % 7 == 0 ? null : "k" + i;
                    String value = i == 11 ? null : codec + " " + i + (i == 5 ? "x".repeat(20_000) : "");
                    long time = 1_700_000_000_000L + i;
                    sent.add(producer.send(new ProducerRecord<>(topic, 0, time, key, value, headers(i))));
                    expected.add(key + " " + value + " " + time + " " + shown(headers(i)));
                }
                producer.flush();
                for (Future<RecordMetadata> one : sent) {
                    Checks.equal(!acks.equals("0"), one.get().hasOffset());
                }
            }
        }
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks)) {
            consumer.assign(Clients.partitions(topic, 1));
            List<String> seen = new ArrayList<>();
            long offset = 0;
            for (ConsumerRecord<String, String> record : Clients.read(consumer, expected.size())) {
                Checks.equal(offset++, record.offset());
                seen.add(record.key() + " " + record.value() + " " + record.timestamp() + " " + shown(record.headers()));
            }
            Checks.equal(expected, seen);
        }
    }

    private static void idempotent(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "idempotent", 1);
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "acks", "all", "enable.idempotence",
                "true", "batch.size", 500, "max.in.flight.requests.per.connection", 5)) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int i = 0; i < 1000; i++) sent.add(producer.send(new ProducerRecord<>(topic, "k", String.valueOf(i))));
            producer.flush();
            for (int i = 0; i < 1000; i++) Checks.equal((long) i, sent.get(i).get().offset());
        }
        Checks.equal(Clients.numbers(0, 1000), Clients.values(Clients.all(checks, topic, 1)));
    }

    private static void sizes(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "sizes", 1);
        String large = "x".repeat(1_000_000);
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "max.request.size", 5_000_000)) {
            Checks.equal(0L, producer.send(new ProducerRecord<>(topic, large)).get().offset());
            Checks.fails("RecordTooLargeException",
                () -> producer.send(new ProducerRecord<>(topic, large + large)).get());
        }
        Checks.equal(1, Clients.all(checks, topic, 1).size());
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "max.partition.fetch.bytes", 1000,
                "fetch.max.bytes", 1000)) {
            consumer.assign(Clients.partitions(topic, 1));
            Checks.equal(large, Clients.read(consumer, 1).get(0).value());
        }
    }

    private static void keys(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "keys", 4);
        Map<String, Integer> where = new HashMap<>();
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Checks.equal(4, producer.partitionsFor(topic).size());
            producer.partitionsFor(topic).forEach(info -> {
                Checks.equal(1, info.replicas().length);
                Checks.equal(1, info.inSyncReplicas().length);
                Checks.equal(0, info.offlineReplicas().length);
                Checks.equal(info.leader(), info.replicas()[0]);
            });
            for (int i = 0; i < 40; i++) {
                String key = "key " + i % 10;
                int partition = producer.send(new ProducerRecord<>(topic, key, "v")).get().partition();
                Integer before = where.put(key, partition);
                Checks.isTrue("a key moved", before == null || before == partition);
            }
        }
        Map<Integer, Long> counts = Clients.all(checks, topic, 4).stream()
            .collect(Collectors.groupingBy(ConsumerRecord::partition, Collectors.counting()));
        Map<Integer, Long> expected = new HashMap<>();
        where.values().forEach(partition -> expected.merge(partition, 4L, Long::sum));
        Checks.equal(expected, counts);
    }

    private static void seeks(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "seeks", 2);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, topic, 0, 0, 50);
            Clients.fill(producer, topic, 1, 100, 110);
        }
        List<TopicPartition> both = Clients.partitions(topic, 2);
        TopicPartition first = both.get(0);
        TopicPartition second = both.get(1);
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "max.poll.records", 7)) {
            Checks.equal(2, consumer.listTopics().get(topic).size());
            consumer.assign(both);
            Checks.equal(Map.of(first, 0L, second, 0L), consumer.beginningOffsets(both));
            Checks.equal(Map.of(first, 50L, second, 10L), consumer.endOffsets(both));
            consumer.pause(List.of(second));
            consumer.seek(first, 43);
            Checks.equal(Clients.numbers(43, 50), Clients.values(Clients.read(consumer, 7)));
            Checks.equal(50L, consumer.position(first));
            consumer.seekToBeginning(List.of(first));
            Checks.equal(0L, consumer.position(first));
            Checks.equal(Clients.numbers(0, 7), Clients.values(Clients.read(consumer, 7)));
            consumer.seekToEnd(List.of(first));
            Checks.equal(50L, consumer.position(first));
            consumer.resume(List.of(second));
            Checks.equal(Clients.numbers(100, 110), Clients.values(Clients.read(consumer, 10)));
        }
    }

    private static void times(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "times", 1);
        TopicPartition only = new TopicPartition(topic, 0);
        // One compressed batch: the answer lies inside of it.
        try (KafkaProducer<String, String> producer = Clients.producer(checks, "compression.type", "lz4",
                "linger.ms", 500, "batch.size", 100_000)) {
            for (int i = 0; i < 100; i++) {
                producer.send(new ProducerRecord<>(topic, 0, 1_000_000L + i * 10, "k", String.valueOf(i)));
            }
        }
        try (KafkaConsumer<String, String> consumer = Clients.consumer(checks)) {
            for (long[] pair : new long[][] {{0, 0}, {1_000_000, 0}, {1_000_001, 1}, {1_000_505, 51}, {1_000_990, 99}}) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(only, pair[0])).get(only);
                Checks.equal(pair[1], found.offset());
                Checks.equal(1_000_000 + pair[1] * 10, found.timestamp());
            }
            Checks.equal(null, consumer.offsetsForTimes(Map.of(only, 1_000_991L)).get(only));
        }
    }

    private static void resets(Checks checks, AdminClient admin) throws Exception {
        String topic = Clients.topic(checks, admin, "resets", 1);
        TopicPartition only = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = Clients.producer(checks)) {
            Clients.fill(producer, topic, 0, 0, 5);
            try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "auto.offset.reset", "none")) {
                consumer.assign(List.of(only));
                Checks.fails("NoOffsetForPartitionException", () -> Clients.read(consumer, 1));
                consumer.seek(only, 99);
                Checks.fails("OffsetOutOfRangeException", () -> Clients.read(consumer, 1));
            }
            try (KafkaConsumer<String, String> consumer = Clients.consumer(checks, "auto.offset.reset", "latest")) {
                consumer.assign(List.of(only));
                Checks.equal(0, consumer.poll(Duration.ofMillis(300)).count());
                Clients.fill(producer, topic, 0, 5, 7);
                Checks.equal(Clients.numbers(5, 7), Clients.values(Clients.read(consumer, 2)));
                consumer.seek(only, 99);
                Clients.read(consumer, 0);
                Checks.eventually("the end again", () -> {
                    consumer.poll(Duration.ofMillis(50));
                    return consumer.position(only) == 7;
                });
            }
        }
    }
}
