import { retentionLabel, retentionScheduleOf } from "@knib/core";
import test from "ava";

const ID = "0196f000-0000-7000-8000-000000000001";

test("retentionScheduleOf › finds the schedule among other labels", (t) => {
	t.is(retentionScheduleOf(["schedule:nightly", retentionLabel(ID), "mine"]), ID);
	t.is(retentionScheduleOf(["schedule:nightly", "retention:soon"]), undefined);
	t.is(retentionScheduleOf([]), undefined);
});
