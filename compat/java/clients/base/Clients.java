// Producers and consumers of text, and what scenarios do with them again and again.
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public final class Clients {
    private Clients() {}

    static KafkaProducer<String, String> producer(Checks checks, Object... more) {
        return new KafkaProducer<>(checks.properties(more), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Checks checks, Object... more) {
        Properties all = checks.properties("auto.offset.reset", "earliest", "enable.auto.commit", "false",
            "session.timeout.ms", "10000", "heartbeat.interval.ms", "200");
        all.putAll(checks.properties(more));
        return new KafkaConsumer<>(all, new StringDeserializer(), new StringDeserializer());
    }

    static String topic(Checks checks, AdminClient admin, String hint, int partitions) throws Exception {
        String name = checks.name(hint);
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
        return name;
    }

    static List<TopicPartition> partitions(String topic, int count) {
        return IntStream.range(0, count).mapToObj(i -> new TopicPartition(topic, i)).collect(Collectors.toList());
    }

    /** Values `from` to `to - 1` to one partition. */
    static void fill(KafkaProducer<String, String> producer, String topic, int partition, int from, int to)
            throws Exception {
        for (int i = from; i < to; i++) {
            producer.send(new ProducerRecord<>(topic, partition, 1_000_000L + i, "k" + i, String.valueOf(i)));
        }
        producer.flush();
    }

    /** So many records, or fewer after five seconds. */
    static List<ConsumerRecord<String, String>> read(KafkaConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long end = System.nanoTime() + 5_000_000_000L;
        while (records.size() < count && System.nanoTime() < end) {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
        }
        return records;
    }

    static List<String> values(Collection<ConsumerRecord<String, String>> records) {
        return records.stream().map(ConsumerRecord::value).collect(Collectors.toList());
    }

    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(String::valueOf).collect(Collectors.toList());
    }

    /** Everything in a topic, partition by partition. */
    static List<ConsumerRecord<String, String>> all(Checks checks, String topic, int partitions, Object... more) {
        try (KafkaConsumer<String, String> consumer = consumer(checks, more)) {
            List<TopicPartition> assigned = partitions(topic, partitions);
            consumer.assign(assigned);
            Map<TopicPartition, Long> ends = consumer.endOffsets(assigned);
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            long until = System.nanoTime() + 20_000_000_000L;
            while (assigned.stream().anyMatch(of -> consumer.position(of) < ends.get(of))) {
                if (System.nanoTime() > until) throw new AssertionError("the end of " + topic + " is not reached");
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
            return records;
        }
    }

}
