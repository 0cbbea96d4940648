// Produces with an old kafka-clients: OldProducer BOOTSTRAP TOPIC LABEL CODEC…; compat/old-clients/records.ts has the formula.
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

public class OldProducer {
    static final int COUNT = 10;

    public static void main(String[] args) throws Exception {
        for (int c = 3; c < args.length; c++) produce(args[0], args[1], args[2], args[c]);
    }

    static void produce(String bootstrap, String topic, String label, String codec) throws Exception {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        config.put("compression.type", codec);
        config.put("acks", "all");
        config.put("linger.ms", "50");
        config.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        config.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        KafkaProducer<String, String> producer = new KafkaProducer<String, String>(config);
        java.util.List<java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata>> sent =
            new java.util.ArrayList<java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata>>();
        for (int i = 0; i < COUNT; i++) {
            String key = i % 5 == 0 ? null : codec + "-" + i;
            StringBuilder value = new StringBuilder(label + " " + codec + " " + i);
            for (int n = 0; i == 3 && n < 3000; n++) value.append('x');
            sent.add(producer.send(new ProducerRecord<String, String>(topic, 0, key, i == 7 ? null : value.toString())));
        }
        for (java.util.concurrent.Future<org.apache.kafka.clients.producer.RecordMetadata> one : sent) one.get();
        producer.close();
    }
}
