import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Hands numbers to ctidialer and waits for what became of them.
 *
 * <pre>
 * java -cp gson.jar Crm.java 13800138000 13800138001
 * </pre>
 *
 * It needs Java 17 and Gson. The class Redis at the end speaks just enough of Redis's protocol to
 * run without a client library; in your project put Jedis or Lettuce in its place. The commands stay
 * the same: HSET, PUBLISH, RPUSH, XREAD.
 *
 * <p>Where Redis is says REDIS_URL, under which host name the daemon works CTIDIALER_HOST, by
 * default this machine's. The exit status is 0 when every number has its record, 1 when not.
 *
 * <p>What a CRM has to know: the key that joins a record to your customer is a UUID of your own, the
 * variable origination_uuid of the number. The record carries it as requested_uuid.
 */
public class Crm {
    static final String TASK = "crm_example";
    static final String QUEUE = "crm_example_numbers";
    /** Ours: the id of the last record that we have dealt with. */
    static final String LAST_READ = "crm_example_last_read";

    static final Gson JSON = new Gson();

    /** Our customers that have no record yet, by the UUID of their number. */
    final Map<String, String> customers = new LinkedHashMap<>();

    final String stream;
    String position = "0-0";
    Redis redis;

    Crm(Redis redis, String host) {
        this.redis = redis;
        this.stream = "cti_dialer_record@" + host;
    }

    public static void main(String[] numbers) throws InterruptedException {
        if (numbers.length == 0) {
            System.err.println("usage: java -cp gson.jar Crm.java NUMBER...");
            System.exit(2);
        }
        try {
            Crm crm = new Crm(new Redis(url()), host());
            crm.findPosition(); // before the push, so that no record can be missed
            crm.putTask();
            crm.push(List.of(numbers));
            crm.readAll();
            for (String customer : crm.customers.values()) {
                System.err.println(
                        customer + " has no record yet; ask: ctidialer explain " + TASK);
            }
            System.exit(crm.customers.isEmpty() ? 0 : 1);
        } catch (IOException | JsonParseException error) {
            System.err.println("Redis: " + error.getMessage());
            System.exit(1);
        }
    }

    /** Writes the task: through which gateway, how many at once, where answered calls go. */
    void putTask() throws IOException {
        String task = JSON.toJson(Map.of(
                "params", Map.of(
                        "enable", true,
                        "line_group", List.of("carrier1"),
                        "limit", 10,
                        "number_queue", QUEUE,
                        "destination_extension", "8888",
                        // What each record carries in "variables".
                        "record_variables", List.of("crm_customer")),
                "variables", Map.of("origination_caller_id_number", "02088886666")));
        redis.call("HSET", "cti_queue_dialer_task@template", TASK, task);
        // Without this notice the daemon sees the task at its next look, within five seconds.
        redis.call("PUBLISH", "config@all", JSON.toJson(Map.of(
                "type", "config_change", "table", "cti_queue_dialer_task", "key", TASK)));
    }

    /** Appends the numbers to the queue in one command. */
    void push(List<String> numbers) throws IOException {
        List<String> command = new ArrayList<>(List.of("RPUSH", QUEUE));
        for (String number : numbers) {
            String own = UUID.randomUUID().toString();
            String customer = "customer-" + (customers.size() + 1);
            customers.put(own, customer);
            command.add(JSON.toJson(Map.of(
                    "params", Map.of("number", number),
                    "variables", Map.of("origination_uuid", own, "crm_customer", customer))));
        }
        // Not to be repeated blindly: when the connection is lost here, the numbers may be in the
        // queue.
        redis.call(command.toArray(String[]::new));
    }

    /** Finds the id after which to read: where we stopped, else the stream's end as it is now. */
    void findPosition() throws IOException {
        Object kept = redis.call("GET", LAST_READ);
        List<?> newest = (List<?>) redis.call("XREVRANGE", stream, "+", "-", "COUNT", "1");
        if (kept != null) {
            position = (String) kept;
        } else if (!newest.isEmpty()) {
            position = (String) ((List<?>) newest.get(0)).get(0);
        }
    }

    /** Reads until each of our numbers has its record, or until our patience ends. */
    void readAll() throws IOException, InterruptedException {
        long end = System.nanoTime() + (long) (patience() * 1e9);
        while (!customers.isEmpty() && System.nanoTime() < end) {
            try {
                read();
            } catch (Redis.Refused error) {
                throw error; // what Redis itself says will not be mended by trying again
            } catch (IOException error) {
                System.err.println("Redis is away, trying again: " + error.getMessage());
                Thread.sleep(1000);
                reconnect();
            }
        }
    }

    /** Takes the records after our position, waiting a second for one. */
    void read() throws IOException {
        // "$" would lose what is written between two reads: always say where we are.
        List<?> streams = (List<?>) redis.call(
                "XREAD", "COUNT", "100", "BLOCK", "1000", "STREAMS", stream, position);
        if (streams == null) {
            return; // nothing within the second
        }
        for (Object one : (List<?>) ((List<?>) streams.get(0)).get(1)) {
            List<?> entry = (List<?>) one;
            List<?> fields = (List<?>) entry.get(1); // "record", its text
            take(JSON.fromJson((String) fields.get(1), JsonObject.class));
            position = (String) entry.get(0);
            // After the work, not before it: a crash reads a record twice, and loses none.
            redis.call("SET", LAST_READ, position);
        }
    }

    /** Does what the CRM does with a record; records of others pass by. */
    void take(JsonObject record) {
        String customer = customers.remove(text(record, "requested_uuid"));
        if (customer == null) {
            return;
        }
        JsonObject variables = record.getAsJsonObject("variables");
        if (variables.has("crm_customer")) {
            customer = text(variables, "crm_customer"); // as it was on the call
        }
        boolean billed = !record.get("bill_seconds").isJsonNull();
        System.out.printf("%s %s %s %s %.1f s%n", customer, text(record, "number"),
                text(record, "outcome"), text(record, "hangup_cause"),
                billed ? record.get("bill_seconds").getAsDouble() : 0.0);
    }

    static String text(JsonObject record, String key) {
        return record.get(key).isJsonNull() ? "-" : record.get(key).getAsString();
    }

    void reconnect() {
        try {
            redis.close();
            redis = new Redis(url());
        } catch (IOException stillAway) {
            // The next round says so.
        }
    }

    static URI url() {
        return URI.create(System.getenv().getOrDefault("REDIS_URL", "redis://127.0.0.1:6379/0"));
    }

    static String host() throws IOException {
        String name = System.getenv("CTIDIALER_HOST");
        return name == null || name.isEmpty() ? InetAddress.getLocalHost().getHostName() : name;
    }

    /** Seconds to wait for all records together. */
    static double patience() {
        return Double.parseDouble(System.getenv().getOrDefault("CRM_PATIENCE", "120"));
    }

    /** One connection to Redis, one command at a time. */
    static class Redis implements Closeable {
        /** Redis answered with an error. */
        static class Refused extends IOException {
            Refused(String message) {
                super(message);
            }
        }

        private final Socket socket = new Socket();
        private final DataInputStream in;

        Redis(URI url) throws IOException {
            int port = url.getPort() < 0 ? 6379 : url.getPort();
            socket.connect(new InetSocketAddress(url.getHost(), port), 5000);
            socket.setSoTimeout(10_000); // longer than XREAD waits
            in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
            logIn(url.getRawUserInfo());
            String database = url.getPath().replaceFirst("^/", "");
            call("SELECT", database.isEmpty() ? "0" : database);
        }

        private void logIn(String userInfo) throws IOException {
            if (userInfo == null) {
                return;
            }
            String[] parts = userInfo.split(":", 2);
            String password = URLDecoder.decode(parts[parts.length - 1], StandardCharsets.UTF_8);
            if (parts.length == 1 || parts[0].isEmpty()) {
                call("AUTH", password);
            } else {
                call("AUTH", URLDecoder.decode(parts[0], StandardCharsets.UTF_8), password);
            }
        }

        /** Returns a String, a Long, a List or null; lengths count bytes, not characters. */
        Object call(String... words) throws IOException {
            ByteArrayOutputStream command = new ByteArrayOutputStream();
            command.write(("*" + words.length + "\r\n").getBytes(StandardCharsets.UTF_8));
            for (String word : words) {
                byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
                command.write(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.UTF_8));
                command.write(bytes);
                command.write("\r\n".getBytes(StandardCharsets.UTF_8));
            }
            socket.getOutputStream().write(command.toByteArray());
            return reply();
        }

        private Object reply() throws IOException {
            String line = line();
            String rest = line.substring(1);
            switch (line.charAt(0)) {
                case '+':
                    return rest;
                case '-':
                    throw new Refused(rest);
                case ':':
                    return Long.valueOf(rest);
                case '$':
                    return text(Integer.parseInt(rest));
                default:
                    return list(Integer.parseInt(rest));
            }
        }

        private String text(int length) throws IOException {
            if (length < 0) {
                return null;
            }
            byte[] bytes = new byte[length];
            in.readFully(bytes);
            line();
            return new String(bytes, StandardCharsets.UTF_8);
        }

        private List<Object> list(int length) throws IOException {
            if (length < 0) {
                return null;
            }
            List<Object> items = new ArrayList<>();
            for (int index = 0; index < length; index++) {
                items.add(reply());
            }
            return items;
        }

        private String line() throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            for (int one = in.read(); one != '\n'; one = in.read()) {
                if (one < 0) {
                    throw new EOFException("the connection was lost");
                }
                if (one != '\r') {
                    bytes.write(one);
                }
            }
            return bytes.toString(StandardCharsets.UTF_8);
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
