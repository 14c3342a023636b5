import { ERRORS } from "@knib/core";
import test from "ava";
import { exitOf, exitOfJob } from "../../../apps/cli/src/exit-code.ts";

const done = { state: "succeeded", error: null, result: {}, warnings: [] } as const;
const failed = (code: string) =>
	({ ...done, state: "failed", error: { code, message: "", hint: "" } }) as const;

test("exitOf › every code has one of the documented exits, and an unknown one is 1", (t) => {
	for (const code of Object.keys(ERRORS))
		t.true([1, 2, 4, 5, 6, 7, 8, 130].includes(exitOf(code)), code);
	t.is(exitOf("FROM_A_NEWER_DAEMON"), 1);
	t.is(exitOf("toString"), 1);
});

test("exitOfJob › follows CLI.md", (t) => {
	t.is(exitOfJob(done), 0);
	t.is(exitOfJob({ ...done, result: null }), 0);
	t.is(exitOfJob({ ...done, warnings: ["thawed early"] }), 3);
	t.is(exitOfJob({ ...done, result: { skipped: [{ target: "vdb" }] } }), 3);
	t.is(exitOfJob({ ...done, result: { skipped: [] } }), 0);
	t.is(exitOfJob(failed("REPOSITORY_NO_SPACE")), 1);
	t.is(exitOfJob(failed("NOT_FOUND")), 4);
	t.is(exitOfJob(failed("LEASE_HELD")), 5);
	t.is(exitOfJob(failed("AGENT_SILENT")), 6);
	t.is(exitOfJob(failed("VERIFY_FAILED")), 7);
	t.is(exitOfJob(failed("LIBVIRT_UNREACHABLE")), 8);
	t.is(exitOfJob({ ...done, state: "cancelled" }), 130);
});
