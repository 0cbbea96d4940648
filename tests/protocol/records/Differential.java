// Reads lines `D codec magic limit hex` (decompress) or `B hex` (read every batch and record) and answers one line each:
// what Apache Kafka's own classes make of them. Started by differential.ts.
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.BufferSupplier;

public class Differential {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] p = line.split(" ", -1);
            String answer;
            try {
                answer = p[0].equals("D")
                    ? decompress(Integer.parseInt(p[1]), Byte.parseByte(p[2]), Integer.parseInt(p[3]), hex(p[4]))
                    : records(hex(p[1]));
            } catch (Throwable e) {
                answer = "ERR";
            }
            out.println(answer);
        }
        out.flush();
    }

    static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    static String decompress(int codec, byte magic, int limit, byte[] bytes) throws Exception {
        CRC32 crc = new CRC32();
        int total = 0;
        byte[] buffer = new byte[8192];
        try (InputStream in = Compression.of(CompressionType.forId(codec)).build()
                .wrapForInput(ByteBuffer.wrap(bytes), magic, BufferSupplier.NO_CACHING)) {
            for (int n = in.read(buffer); n != -1; n = in.read(buffer)) {
                total += n;
                if (total > limit) return "ERR";
                crc.update(buffer, 0, n);
            }
        }
        return total + ":" + crc.getValue();
    }

    static String records(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (RecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
            batch.ensureValid();
            text.append('[').append(batch.lastOffset());
            for (Record record : batch) {
                text.append(';').append(record.offset()).append(',').append(record.timestamp());
                text.append(',').append(hex(record.key())).append(',').append(hex(record.value()));
                for (Header header : record.headers()) {
                    text.append(',').append(HexFormat.of().formatHex(header.key().getBytes(StandardCharsets.UTF_8)));
                    text.append('=').append(header.value() == null ? "null" : HexFormat.of().formatHex(header.value()));
                }
            }
            text.append(']');
        }
        return text.toString();
    }

    static String hex(ByteBuffer buffer) {
        if (buffer == null) return "null";
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
