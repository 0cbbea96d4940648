// Reads `in`, writes each record to `out` and the group's offsets in one transaction; aborts one in four. Arguments:
// bootstrap, transactional id, group, in, out. Runs until it is killed; ends with 3 when it is fenced.
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

public class Transform {
    public static void main(String[] args) {
        String bootstrap = args[0], id = args[1], group = args[2], in = args[3], out = args[4];
        Random random = new Random();
        Properties c = new Properties();
        c.put("bootstrap.servers", bootstrap);
        c.put("group.id", group);
        c.put("isolation.level", "read_committed");
        c.put("enable.auto.commit", "false");
        c.put("auto.offset.reset", "earliest");
        c.put("max.poll.records", "40");
        c.put("session.timeout.ms", "6000");
        c.put("heartbeat.interval.ms", "1000");
        c.put("reconnect.backoff.max.ms", "200");
        c.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        c.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        Properties p = new Properties();
        p.put("bootstrap.servers", bootstrap);
        p.put("transactional.id", id);
        p.put("transaction.timeout.ms", "20000");
        p.put("reconnect.backoff.max.ms", "200");
        p.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        p.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(c);
                KafkaProducer<String, String> producer = new KafkaProducer<>(p)) {
            producer.initTransactions();
            consumer.subscribe(List.of(in));
            while (true) step(consumer, producer, random, out);
        } catch (KafkaException error) {
            System.out.println("end " + error);
            System.exit(3);
        }
    }

    private static void step(KafkaConsumer<String, String> consumer, KafkaProducer<String, String> producer,
            Random random, String out) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(100));
        if (records.isEmpty()) return;
        boolean abort = random.nextInt(4) == 0;
        producer.beginTransaction();
        try {
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            for (ConsumerRecord<String, String> record : records) {
                producer.send(new ProducerRecord<>(out, record.key(), record.value() + (abort ? " aborted" : "")));
                offsets.put(new TopicPartition(record.topic(), record.partition()),
                    new OffsetAndMetadata(record.offset() + 1));
            }
            producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
            if (!abort) {
                producer.commitTransaction();
                System.out.println("commit " + records.count());
                return;
            }
        } catch (org.apache.kafka.common.errors.ProducerFencedException
                | org.apache.kafka.common.errors.OutOfOrderSequenceException
                | org.apache.kafka.common.errors.InvalidProducerEpochException error) {
            throw error;
        } catch (KafkaException error) {
            System.out.println("retry " + error);
        }
        producer.abortTransaction();
        System.out.println("abort " + records.count());
        rewind(consumer, records.partitions());
    }

    private static void rewind(KafkaConsumer<String, String> consumer, Collection<TopicPartition> partitions) {
        for (TopicPartition partition : partitions) {
            if (!consumer.assignment().contains(partition)) continue;
            OffsetAndMetadata committed = consumer.committed(java.util.Set.of(partition)).get(partition);
            if (committed == null) consumer.seekToBeginning(List.of(partition));
            else consumer.seek(partition, committed.offset());
        }
    }
}
