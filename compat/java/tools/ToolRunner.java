// Runs main classes of Apache Kafka's tools in one virtual machine, several at a time, each with its own standard input,
// output and exit code. Lines of standard input, fields divided by spaces, texts in Base64:
//   run ID CLASS STDIN ARGUMENTS(divided by \0)   answered by: ID exit CODE STDOUT STDERR
//   peek ID                                       answered by: ID output STDOUT, what it has printed so far
//   stop ID                                       as SIGTERM does: its shutdown hooks are run
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.utils.Exit;

public class ToolRunner {
    /** The run that a thread belongs to: its own, or that of the thread that created it. */
    private static final InheritableThreadLocal<Run> CURRENT = new InheritableThreadLocal<>();
    private static final Map<String, Run> RUNS = new ConcurrentHashMap<>();
    private static final PrintStream ANSWERS = System.out;

    /** Ends a main method where the tool would have ended its process. */
    private static final class Exited extends Error {
        Exited() {
            super(null, null, false, false);
        }
    }

    private static final class Run {
        final String id;
        final InputStream in;
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        final ByteArrayOutputStream err = new ByteArrayOutputStream();
        final List<Runnable> hooks = new ArrayList<>();
        Integer code;
        /** Between its exit and its shutdown hooks, what unwinds would have been printed by nobody. */
        boolean isMute;

        Run(String id, byte[] in) {
            this.id = id;
            this.in = new ByteArrayInputStream(in);
        }

        synchronized void exit(int status) {
            if (code == null) code = status;
            isMute = true;
        }

        synchronized void print(ByteArrayOutputStream to, byte[] bytes, int offset, int length) {
            if (!isMute) to.write(bytes, offset, length);
        }

        void runHooks() {
            List<Runnable> all;
            synchronized (this) {
                all = new ArrayList<>(hooks);
                hooks.clear();
            }
            for (Runnable hook : all) hook.run();
        }

        void main(String name, String[] args) {
            try {
                Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
            } catch (InvocationTargetException wrapped) {
                Throwable error = wrapped.getCause();
                if (!(error instanceof Exited)) {
                    System.err.println("Exception in thread \"main\" " + error);
                    exit(1);
                }
            } catch (ReflectiveOperationException error) {
                System.err.println(error);
                exit(-1);
            }
            synchronized (this) {
                isMute = false;
            }
            runHooks();
            exit(0);
            RUNS.remove(id);
            answer(id + " exit " + code + " " + base64(out) + " " + base64(err));
        }
    }

    private static final class Out extends OutputStream {
        private final boolean isError;

        Out(boolean isError) {
            this.isError = isError;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            Run run = CURRENT.get();
            if (run != null) run.print(isError ? run.err : run.out, bytes, offset, length);
        }
    }

    private static final class In extends InputStream {
        @Override
        public int read() throws IOException {
            return CURRENT.get().in.read();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            return CURRENT.get().in.read(bytes, offset, length);
        }
    }

    private static String base64(ByteArrayOutputStream bytes) {
        return Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static byte[] decode(String text) {
        return Base64.getDecoder().decode(text);
    }

    private static synchronized void answer(String line) {
        ANSWERS.println(line);
        ANSWERS.flush();
    }

    public static void main(String[] ignored) throws IOException {
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        System.setOut(new PrintStream(new Out(false), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Out(true), true, StandardCharsets.UTF_8));
        System.setIn(new In());
        Exit.Procedure end = (status, message) -> {
            Run run = CURRENT.get();
            if (message != null) System.err.println(message);
            if (run != null) run.exit(status);
            throw new Exited();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        Exit.setShutdownHookAdder((name, hook) -> {
            Run run = CURRENT.get();
            synchronized (run) {
                run.hooks.add(hook);
            }
        });
        answer("ready");
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] fields = line.split(" ", -1);
            Run known = RUNS.get(fields[1]);
            switch (fields[0]) {
                case "run":
                    start(fields);
                    break;
                case "peek":
                    if (known != null) answer(known.id + " output " + base64(known.out));
                    break;
                case "stop":
                    if (known != null) start(known, known::runHooks);
                    break;
                default:
                    throw new IllegalArgumentException(line);
            }
        }
        Runtime.getRuntime().halt(0);
    }

    private static void start(String[] fields) {
        String text = new String(decode(fields[4]), StandardCharsets.UTF_8);
        String[] args = text.isEmpty() ? new String[0] : text.split("\0", -1);
        Run run = new Run(fields[1], decode(fields[3]));
        RUNS.put(run.id, run);
        start(run, () -> run.main(fields[2], args));
    }

    private static void start(Run run, Runnable what) {
        Thread thread = new Thread(() -> {
            CURRENT.set(run);
            what.run();
        }, "main");
        thread.setDaemon(true);
        thread.start();
    }
}
