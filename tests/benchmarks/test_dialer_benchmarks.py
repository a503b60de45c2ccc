"""The benchmarks of the whole dialer run, and say what they promise; how fast is not asked here."""

from __future__ import annotations

from tests.benchmarks.running import BenchmarkCase


class BenchmarkTests(BenchmarkCase):
    async def test_latency(self) -> None:
        figures = await self.run_benchmark("latency", "--samples", "5", "--limits", "2")
        refill = figures["refill_ms_by_limit"]["2"]
        for times in (figures["push_ms"], refill["of_end"], refill["of_event"]):
            self.assertGreater(times["p50"], 0)
            self.assertGreaterEqual(times["max"], times["p99"])

    async def test_config_change(self) -> None:
        figures = await self.run_benchmark("config_change", "--tasks", "5", "--samples", "2")
        times = figures["by_tasks"]["5"]
        self.assertGreater(times["one_task_ms"]["p50"], 0)
        self.assertGreater(times["whole_table_ms"]["p50"], 0)

    async def test_scale_tasks(self) -> None:
        figures = await self.run_benchmark(
            "scale_tasks", "--tasks", "20", "--seconds", "3", "--settle", "0.5"
        )
        for others in ("closed", "waiting"):
            self.assertGreater(figures[others]["20"]["calls"], 0)
            self.assertIn("idle_cpu_percent", figures[others]["20"])
            self.assertGreater(figures[others]["20"]["first_call_after_start_seconds"], 0)

    async def test_hosts(self) -> None:
        options = (
            "--hosts",
            "2",
            "--calls",
            "40",
            "--count",
            "6",
            "--cps",
            "40",
            "--talk",
            "0.05",
            "0.1",
        )
        figures = await self.run_benchmark("hosts", *options)
        shared = figures["by_hosts"]["2"]["domain"]
        self.assertEqual(shared["calls"], 40)
        self.assertLessEqual(shared["most_at_once"], 6)
        self.assertLessEqual(shared["most_in_a_second"], 41)

    async def test_place_steps(self) -> None:
        figures = await self.run_benchmark("place_steps", "--together", "2", "--calls", "40")
        (found,) = figures["by_together"].values()
        for way in ("not_counted", "count", "count_and_rate"):
            self.assertGreater(found[way], 0)
        self.assertIn("count_more", found)

    async def test_scale_lines(self) -> None:
        figures = await self.run_benchmark("scale_lines", "--lines", "2", "30", "--calls", "60")
        for lines in ("2", "30"):
            self.assertEqual(figures["by_lines"][lines]["lines_used"], int(lines))
            self.assertGreater(figures["by_lines"][lines]["daemon_cpu_us_per_call"], 0)

    async def test_notices(self) -> None:
        options = ("--rate", "500", "--seconds", "1", "--names", "10", "--settle", "0.5")
        figures = await self.run_benchmark("notices", *options)
        self.assertGreaterEqual(figures["published"]["sent"], 500)
        self.assertGreater(figures["storm"]["calls_per_second"], 0)
        self.assertGreater(figures["a_change_in_it_ms"]["max"], 0)
        self.assertGreater(figures["a_change_after_it_ms"], 0)

    async def test_scale_start(self) -> None:
        options = (
            "--closed",
            "20",
            "--open",
            "10",
            "--sample",
            "5",
            "--settle",
            "1",
            "--most",
            "200",
        )
        figures = await self.run_benchmark("scale_start", *options)
        self.assertEqual((figures["sample"]["called"], figures["all"]["called"]), (5, 10))
        self.assertGreater(figures["all"]["first_seconds"], 0)
        self.assertIn("daemon_cpu_percent", figures["idle"])

    async def test_poison(self) -> None:
        options = ("--megabytes", "1", "--entries", "3", "--seconds", "2")
        figures = await self.run_benchmark("poison", *options)
        self.assertEqual((figures["recorded"], figures["left_in_queue"]), (3, 0))
        self.assertGreater(figures["while_taken"]["calls_per_second"], 0)

    async def test_load_file(self) -> None:
        figures = await self.run_benchmark("load_file", "--rows", "50")
        self.assertEqual(
            set(figures["by_kind"]),
            {"text", "csv", "gbk", "excel", "dedupe", "region", "dnc"},
        )
        for found in figures["by_kind"].values():
            self.assertEqual(found["pushed"], 50)
            self.assertGreater(found["peak_mb"], 10)

    async def test_report_records(self) -> None:
        figures = await self.run_benchmark("report_records", "--records", "1500", "--runs", "1")
        for by in ("day", "hour"):
            (run,) = figures[by]
            self.assertGreater(run["most_resident_mb"], 0)
            self.assertGreater(run["cpu_seconds"], 0)

    async def test_scale_queue(self) -> None:
        figures = await self.run_benchmark("scale_queue", "--lengths", "60", "--calls", "20")
        for stretch in figures["by_length"]["60"].values():
            self.assertGreaterEqual(stretch["calls"], 20)
            self.assertGreater(stretch["llen_ms"]["p50"], 0)

    async def test_scale_schedule(self) -> None:
        figures = await self.run_benchmark("scale_schedule", "--members", "50", "--burst", "20")
        self.assertGreater(figures["by_members"]["50"]["burst_seconds"], 0)

    async def test_scale_waiting(self) -> None:
        options = ("--waiting", "50", "--due", "40", "--seconds", "0.5", "--rounds", "1")
        figures = await self.run_benchmark("scale_waiting", *options)
        self.assertIn("daemon", figures["idle_cpu_ms_per_second"][0]["all_wait"])
        self.assertEqual(figures["misplaced"], 0)
        self.assertGreater(figures["calls_per_second"], 0)

    async def test_callee_zone(self) -> None:
        figures = await self.run_benchmark("callee_zone", "--numbers", "5", "--rounds", "1")
        for country, each in figures["us_per_number"].items():
            self.assertGreater(min(each.values()), 0, country)

    async def test_scale_calls(self) -> None:
        figures = await self.run_benchmark("scale_calls", "--calls", "5", "10")
        for calls in ("5", "10"):
            self.assertGreater(figures["by_calls"][calls]["resident_mb"], 0)
            self.assertGreater(figures["by_calls"][calls]["status_seconds"], 0)
            self.assertGreater(figures["by_calls"][calls]["explain_seconds"], 0)

    async def test_pacing_live(self) -> None:
        options = ("--agents", "3", "--handle", "1", "--seconds", "4", "--warm-up", "1")
        figures = await self.run_benchmark("pacing_live", *options)
        self.assertEqual(figures["agents"], 3)
        self.assertIn("use_percent", figures)

    async def test_pacing(self) -> None:
        options = ("--seconds", "3", "--rates", "2", "10", "--away", "0.5", "--run", "1")
        figures = await self.run_benchmark("pacing", *options)
        self.assertGreaterEqual(figures["rates"]["10.0"]["calls"], 2)
        self.assertLessEqual(figures["most_at_once"], figures["limit"])
        for pause in ("operator", "freeswitch_away", "daemon_stopped"):
            self.assertIn("most_in_a_second", figures["pauses"][pause])

    async def test_soak(self) -> None:
        figures = await self.run_benchmark("soak", "--numbers", "200", "--every", "50")
        self.assertEqual(figures["records_written"], 200)
        self.assertEqual(figures["numbers_with_exactly_one_record"], 200)
        self.assertEqual(figures["left_in_flight"], 0)
        self.assertEqual([one["calls"] for one in figures["samples"]][-1], 200)
