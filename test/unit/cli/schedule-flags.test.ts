import { KnibError } from "@knib/core";
import test from "ava";
import { scheduleFieldsOf } from "../../../apps/cli/src/schedule-flags.ts";

test("scheduleFieldsOf › takes what was given and leaves out the rest", (t) => {
	t.deepEqual(scheduleFieldsOf({}), {});
	t.deepEqual(
		scheduleFieldsOf({ cron: "@daily", tz: "UTC", vm: "web*", tag: "prod", keep: "keepLast=7" }),
		{ cron: "@daily", timezone: "UTC", vm: "web*", tag: "prod", retention: { keepLast: 7 } },
	);
	t.deepEqual(scheduleFieldsOf({ tag: "none", keep: "none" }), { tag: null, retention: null });
});

test("scheduleFieldsOf › a jitter is in minutes, or in its own unit", (t) => {
	for (const [jitter, jitterMs] of [
		["10", 600_000],
		["90s", 90_000],
		["1h", 3_600_000],
	] as const) {
		t.deepEqual(scheduleFieldsOf({ jitter }), { jitterMs });
	}
	for (const jitter of ["soon", "-1", "5 MB"]) {
		t.is(t.throws(() => scheduleFieldsOf({ jitter }), { instanceOf: KnibError })?.code, "USAGE");
	}
});
