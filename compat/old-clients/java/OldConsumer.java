// Consumes in a group with an old kafka-clients: OldConsumer BOOTSTRAP TOPIC GROUP COUNT prints a line for each record.
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

public class OldConsumer {
    public static void main(String[] args) {
        Properties config = new Properties();
        config.put("bootstrap.servers", args[0]);
        config.put("group.id", args[2]);
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", "false");
        config.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        config.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
        KafkaConsumer<String, String> consumer = new KafkaConsumer<String, String>(config);
        consumer.subscribe(Collections.singletonList(args[1]));
        int left = Integer.parseInt(args[3]);
        while (left > 0) {
            for (ConsumerRecord<String, String> record : consumer.poll(1000L)) {
                System.out.println(record.offset() + "\t" + text(record.key()) + "\t" + text(record.value()));
                left--;
            }
        }
        consumer.commitSync();
        consumer.close();
    }

    static String text(String value) {
        return value == null ? "\\N" : value;
    }
}
