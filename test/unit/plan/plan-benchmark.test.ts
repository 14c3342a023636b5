import { isBusy, isRefusal, planBenchmark } from "@knib/core";
import test from "ava";

const MIB = 1 << 20;
const facts = { name: "main", capacity: 10_000 * MIB, free: 2000 * MIB, minimumFree: 5 };

test("planBenchmark › takes the file, a copy of it and what belongs to images", (t) => {
	t.deepEqual(planBenchmark({ ...facts, size: 256 * MIB }), { needed: 528 * MIB });
});

test("planBenchmark › leaves what a repository must keep free", (t) => {
	const size = 742 * MIB;
	t.false(isRefusal(planBenchmark({ ...facts, size })));
	const refused = planBenchmark({ ...facts, size: size + 1 });
	t.is(
		isRefusal(refused) ? refused.message : "",
		"a benchmark of 743 MiB needs 1501 MiB in repository main, which has 2000 MiB free, of which 500 MiB must stay free",
	);
	t.true(isRefusal(planBenchmark({ ...facts, minimumFree: 0, free: 527 * MIB, size: 256 * MIB })));
});

test("isBusy › a job, or half of the cores wanted by others", (t) => {
	t.false(isBusy(0.9, 2, 0));
	t.true(isBusy(1, 2, 0));
	t.true(isBusy(0, 64, 1));
});
