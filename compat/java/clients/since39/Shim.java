// What was called differently in clients up to 2.8.
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

final class Shim {
    private Shim() {}

    static OffsetAndMetadata committed(KafkaConsumer<?, ?> consumer, TopicPartition partition) {
        return consumer.committed(Set.of(partition)).get(partition);
    }

    static void sendOffsets(KafkaProducer<?, ?> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
            KafkaConsumer<?, ?> consumer, String group) {
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    }

    static Map<String, KafkaFuture<TopicDescription>> describe(AdminClient admin, Collection<String> topics) {
        return admin.describeTopics(topics).topicNameValues();
    }

    /** Bytes on disk of each partition, by log directory. */
    static Map<String, Map<TopicPartition, Long>> logDirs(AdminClient admin, int broker) throws Exception {
        Map<String, Map<TopicPartition, Long>> sizes = new HashMap<>();
        admin.describeLogDirs(List.of(broker)).allDescriptions().get().get(broker).forEach((dir, info) -> {
            Checks.equal(null, info.error());
            Checks.isTrue("the disk has bytes", info.totalBytes().getAsLong() > info.usableBytes().getAsLong());
            Map<TopicPartition, Long> of = new HashMap<>();
            info.replicaInfos().forEach((partition, replica) -> of.put(partition, replica.size()));
            sizes.put(dir, of);
        });
        return sizes;
    }
}
