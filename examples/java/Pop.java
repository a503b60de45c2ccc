import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A screen pop: says whom an agent is connected to, and when the call is over.
 *
 * <pre>
 * javac -cp gson.jar Crm.java Pop.java
 * java -cp gson.jar:. Pop 1001@default          (without an agent: for all of them)
 * </pre>
 *
 * The daemon has to tell of calls: [records] events = "cti_dialer_event@fs1" in its settings; the
 * stream's name goes into CTIDIALER_EVENTS, where Redis is into REDIS_URL. The connection to Redis is
 * that of Crm.java. Events are telling, not booking: what has to be right in the end stands in the
 * records.
 */
public class Pop {
    /** Ours: the id of the last event that we have shown. */
    static final String LAST_READ = "pop_example_last_read";

    static final Map<String, String> ENV = System.getenv();
    static final String STREAM = ENV.getOrDefault("CTIDIALER_EVENTS", "cti_dialer_event@fs1");

    final Set<String> onScreen = new HashSet<>();
    final String agent;
    Crm.Redis redis;
    String position;

    Pop(String agent) {
        this.agent = agent;
    }

    public static void main(String[] words) throws InterruptedException {
        Pop pop = new Pop(words.length > 0 ? words[0] : "");
        double patience = Double.parseDouble(ENV.getOrDefault("POP_PATIENCE", "Infinity"));
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < patience * 1e9) {
            try {
                pop.read();
            } catch (Crm.Redis.Refused error) {
                System.err.println("Redis: " + error.getMessage());
                System.exit(1);
            } catch (IOException error) {
                System.err.println("Redis is away, trying again: " + error.getMessage());
                pop.redis = null;
                Thread.sleep(1000);
            }
        }
    }

    /** Shows the events after our position, waiting a second for one. */
    void read() throws IOException {
        if (redis == null) {
            redis = new Crm.Redis(Crm.url());
        }
        if (position == null) {
            position = lastRead();
        }
        // "$" would lose what is written between two reads: always say where we are.
        List<?> streams = (List<?>) redis.call(
                "XREAD", "COUNT", "100", "BLOCK", "1000", "STREAMS", STREAM, position);
        if (streams == null) {
            return; // nothing within the second
        }
        for (Object one : (List<?>) ((List<?>) streams.get(0)).get(1)) {
            List<?> entry = (List<?>) one;
            List<?> fields = (List<?>) entry.get(1); // "event", its text
            show(new Gson().fromJson((String) fields.get(1), JsonObject.class));
            position = (String) entry.get(0);
        }
        redis.call("SET", LAST_READ, position);
    }

    /** Returns the id after which to read: where we stopped, else the stream's end as it is now. */
    String lastRead() throws IOException {
        Object kept = redis.call("GET", LAST_READ);
        if (kept != null) {
            return (String) kept;
        }
        List<?> newest = (List<?>) redis.call("XREVRANGE", STREAM, "+", "-", "COUNT", "1");
        return newest.isEmpty() ? "0-0" : (String) ((List<?>) newest.get(0)).get(0);
    }

    /** Pops up at "bridged", closes at "ended"; fields that we do not know pass by. */
    void show(JsonObject event) {
        String what = Crm.text(event, "event");
        String who = Crm.text(event, "agent");
        String uuid = Crm.text(event, "uuid");
        if (what.equals("bridged") && (agent.isEmpty() || agent.equals(who))) {
            onScreen.add(uuid);
            JsonObject variables = event.getAsJsonObject("variables");
            boolean known = variables.has("crm_customer");
            String customer = known ? Crm.text(variables, "crm_customer") : "-";
            System.out.printf("pop %s %s %s%n", who, Crm.text(event, "number"), customer);
        } else if (what.equals("ended") && onScreen.remove(uuid)) {
            String outcome = Crm.text(event, "outcome");
            System.out.printf("close %s %s%n", Crm.text(event, "number"), outcome);
        }
    }
}
