<?php
/**
 * Tells ctidialer what the agents of a back end do, so that it dials as much as they can take.
 *
 *     apt install php-cli php-redis      (the extension phpredis)
 *     printf '2001 idle\n2002 talk\n' | php agents.php sales
 *
 * Each line of the input is an agent and what he does from now on: idle, ring, talk, wrap, rest or
 * out.  A task names the group: "agent_group": "sales".  When the input ends, all of them have gone
 * home.  Where Redis is says REDIS_URL; CTIDIALER_DOMAIN is "domain" in the daemon's settings, by
 * default this machine's name.
 */

declare(strict_types=1);

const STATES = ['idle', 'ring', 'talk', 'wrap', 'rest', 'out'];
const EVERY = 3;   // seconds: how often the heart is renewed…
const LASTS = 10;  // … and how long it lasts

function connect(): Redis
{
    $url = parse_url(getenv('REDIS_URL') ?: 'redis://127.0.0.1:6379/0');
    $redis = new Redis();
    $redis->connect($url['host'], $url['port'] ?? 6379, 5.0);
    if (isset($url['pass'])) {
        $user = $url['user'] ?? '';
        $pass = rawurldecode($url['pass']);
        $redis->auth($user === '' ? $pass : [rawurldecode($user), $pass]);
    }
    $redis->select((int) ltrim($url['path'] ?? '/0', '/'));
    return $redis;
}

function key_of(string $table): string
{
    return $table . '@' . (getenv('CTIDIALER_DOMAIN') ?: gethostname());
}

/** Say that an agent has changed: without it the daemon sees it a second later. */
function publish(Redis $redis, string $agent): void
{
    $notice = ['type' => 'config_change', 'table' => 'cti_agent', 'key' => $agent];
    said($redis, $redis->publish('config@all', json_encode($notice, JSON_THROW_ON_ERROR)));
}

/** Write who has changed, and renew the heart. */
function tell(Redis $redis, string $group, array $known, array &$changed): void
{
    foreach (array_keys($changed) as $agent) {
        [$state, $since] = $known[$agent];
        $document = ['params' => ['group' => [$group], 'state' => $state, 'time' => $since]];
        $text = json_encode($document, JSON_THROW_ON_ERROR);
        said($redis, $redis->hSet(key_of('cti_agent'), (string) $agent, $text));
        publish($redis, (string) $agent);
        unset($changed[$agent]);
    }
    // Here and nowhere else: if this program hangs or dies, nobody is called for its agents.
    said($redis, $redis->setEx(key_of('cti_agent_heart'), LASTS, '1'));
}

/** Take our agents out; the heart may be needed by others, and ends by itself. */
function go_home(Redis $redis, array $known): void
{
    foreach (array_keys($known) as $agent) {
        said($redis, $redis->hDel(key_of('cti_agent'), (string) $agent));
        publish($redis, (string) $agent);
    }
}

/** Note what a line says. */
function take(string $line, array &$known, array &$changed): void
{
    [$agent, $state] = explode(' ', trim($line), 2) + [1 => ''];
    if (!in_array($state, STATES, true)) {
        fwrite(STDERR, "not an agent and a state: '" . trim($line) . "'\n");
    } elseif (($known[$agent][0] ?? '') !== $state) {
        $known[$agent] = [$state, round(microtime(true), 3)];  // since when: worth much in predicting
        $changed[$agent] = true;
    }
}

/** phpredis returns false where Redis answers with an error: never go on with it. */
function said(Redis $redis, mixed $reply): mixed
{
    if ($reply === false) {
        throw new RuntimeException($redis->getLastError() ?? 'no answer');
    }
    return $reply;
}

/** Follow the input to its end. */
function run(string $group): void
{
    $redis = null;
    $known = $changed = [];
    $unread = '';
    stream_set_blocking(STDIN, false);
    while (true) {
        try {
            $redis ??= connect();
            tell($redis, $group, $known, $changed);
            $ready = [STDIN];
            $others = null;
            stream_select($ready, $others, $others, EVERY);
            if ($ready && feof(STDIN)) {
                go_home($redis, $known);
                return;
            }
            $lines = explode("\n", $unread . ($ready ? fread(STDIN, 65536) : ''));
            $unread = array_pop($lines);
            foreach ($lines as $line) {
                take($line, $known, $changed);
            }
        } catch (RedisException $error) {
            fwrite(STDERR, "Redis is away, trying again: {$error->getMessage()}\n");
            $redis = null;
            sleep(1);
            $changed = array_fill_keys(array_keys($known), true);  // it may have lost what we wrote
        }
    }
}

function main(array $words): int
{
    if (count($words) !== 1) {
        fwrite(STDERR, "usage: php agents.php GROUP\n");
        return 2;
    }
    try {
        run($words[0]);
    } catch (RuntimeException | JsonException $error) {
        fwrite(STDERR, "Redis: {$error->getMessage()}\n");
        return 1;
    }
    return 0;
}

exit(main(array_slice($argv, 1)));
