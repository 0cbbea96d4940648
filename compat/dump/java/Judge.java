// Runs DumpLogSegments many times in one virtual machine: a line of standard input holds the arguments of one run, separated
// by tabs. For each a line `RUN <what it threw, or -> <bytes of its output> <bytes of its complaints>`, then both.
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.tools.DumpLogSegments;

public class Judge {
    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            String thrown = "-";
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            try {
                DumpLogSegments.main(line.split("\t"));
            } catch (Throwable t) {
                thrown = t.getClass().getSimpleName();
            }
            System.out.flush();
            System.err.flush();
            answers.println("RUN " + thrown + " " + out.size() + " " + err.size());
            answers.write(out.toByteArray());
            answers.write(err.toByteArray());
            answers.flush();
        }
    }
}
