// What is called differently in clients up to 2.8.
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
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
        return consumer.committed(partition);
    }

    static void sendOffsets(KafkaProducer<?, ?> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
            KafkaConsumer<?, ?> consumer, String group) {
        producer.sendOffsetsToTransaction(offsets, group);
    }

    static Map<String, KafkaFuture<TopicDescription>> describe(AdminClient admin, Collection<String> topics) {
        return admin.describeTopics(topics).values();
    }

    /** Bytes on disk of each partition, by log directory. */
    static Map<String, Map<TopicPartition, Long>> logDirs(AdminClient admin, int broker) throws Exception {
        Map<String, Map<TopicPartition, Long>> sizes = new HashMap<>();
        admin.describeLogDirs(java.util.List.of(broker)).all().get().get(broker).forEach((dir, info) -> {
            Checks.equal("NONE", info.error.name());
            Map<TopicPartition, Long> of = new HashMap<>();
            info.replicaInfos.forEach((partition, replica) -> of.put(partition, replica.size));
            sizes.put(dir, of);
        });
        return sizes;
    }
}
