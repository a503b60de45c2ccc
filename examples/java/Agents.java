import com.google.gson.Gson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Tells ctidialer what the agents of a back end do, so that it dials as much as they can take.
 *
 * <pre>
 * javac -cp gson.jar Crm.java Agents.java
 * printf '2001 idle\n2002 talk\n' | java -cp gson.jar:. Agents sales
 * </pre>
 *
 * Each line of the input is an agent and what he does from now on: idle, ring, talk, wrap, rest or
 * out. A task names the group: "agent_group": "sales". When the input ends, all of them have gone
 * home. Where Redis is says REDIS_URL; CTIDIALER_DOMAIN is "domain" in the daemon's settings. The
 * connection to Redis is that of Crm.java.
 */
public class Agents {
    static final Set<String> STATES = Set.of("idle", "ring", "talk", "wrap", "rest", "out");
    static final long EVERY = 3; // seconds: how often the heart is renewed…
    static final String LASTS = "10"; // … and how long it lasts
    static final String END = "\n"; // no line has that in it

    static final String DOMAIN = System.getenv().getOrDefault("CTIDIALER_DOMAIN", "fs1");
    static final String TABLE = "cti_agent@" + DOMAIN;
    static final String HEART = "cti_agent_heart@" + DOMAIN;

    record State(String name, double since) {}

    final String group;
    final Map<String, State> known = new LinkedHashMap<>();
    final Set<String> changed = new TreeSet<>();
    Crm.Redis redis;

    Agents(String group) {
        this.group = group;
    }

    public static void main(String[] words) throws InterruptedException {
        if (words.length != 1) {
            System.err.println("usage: java Agents GROUP");
            System.exit(2);
        }
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> read(lines));
        reader.setDaemon(true);
        reader.start();
        try {
            new Agents(words[0]).run(lines);
        } catch (Crm.Redis.Refused error) {
            System.err.println("Redis: " + error.getMessage());
            System.exit(1);
        }
    }

    static void read(BlockingQueue<String> lines) {
        InputStreamReader bytes = new InputStreamReader(System.in, StandardCharsets.UTF_8);
        try (BufferedReader in = new BufferedReader(bytes)) {
            in.lines().forEach(lines::add);
        } catch (IOException error) {
            System.err.println("the input: " + error.getMessage());
        }
        lines.add(END);
    }

    /** Follows the input to its end. */
    void run(BlockingQueue<String> lines) throws InterruptedException, Crm.Redis.Refused {
        String line = null;
        while (true) {
            try {
                if (redis == null) {
                    redis = new Crm.Redis(Crm.url());
                }
                tell();
                line = END.equals(line) ? END : lines.poll(EVERY, TimeUnit.SECONDS);
                if (END.equals(line)) {
                    goHome();
                    return;
                }
                if (line != null) {
                    take(line.strip());
                }
            } catch (Crm.Redis.Refused error) {
                throw error;
            } catch (IOException error) {
                System.err.println("Redis is away, trying again: " + error.getMessage());
                redis = null;
                Thread.sleep(1000);
                changed.addAll(known.keySet()); // it may have lost what we wrote
            }
        }
    }

    /** Writes who has changed, and renews the heart. */
    void tell() throws IOException {
        for (String agent : List.copyOf(changed)) {
            State state = known.get(agent);
            Map<String, Object> params =
                    Map.of("group", List.of(group), "state", state.name, "time", state.since);
            redis.call("HSET", TABLE, agent, new Gson().toJson(Map.of("params", params)));
            publish(agent);
            changed.remove(agent);
        }
        // Here and nowhere else: if this program hangs or dies, nobody is called for its agents.
        redis.call("SET", HEART, "1", "EX", LASTS);
    }

    /** Says that an agent has changed: without it the daemon sees it a second later. */
    void publish(String agent) throws IOException {
        Map<String, String> notice =
                Map.of("type", "config_change", "table", "cti_agent", "key", agent);
        redis.call("PUBLISH", "config@all", new Gson().toJson(notice));
    }

    /** Takes our agents out; the heart may be needed by others, and ends by itself. */
    void goHome() throws IOException {
        for (String agent : known.keySet()) {
            redis.call("HDEL", TABLE, agent);
            publish(agent);
        }
    }

    /** Notes what a line says. */
    void take(String line) {
        String[] words = line.split(" ", 2);
        if (words.length < 2 || !STATES.contains(words[1])) {
            System.err.println("not an agent and a state: '" + line + "'");
            return;
        }
        State before = known.get(words[0]);
        if (before == null || !before.name.equals(words[1])) {
            // Since when: it is worth much in predicting.
            known.put(words[0], new State(words[1], System.currentTimeMillis() / 1e3));
            changed.add(words[0]);
        }
    }
}
