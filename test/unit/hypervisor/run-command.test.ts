import { KnibError } from "@knib/core";
import test from "ava";
import { wrapArgv } from "../../../apps/host-daemon/src/hypervisor/command-argv.ts";
import {
	converseWith,
	isNoSpace,
	runCommand,
	textOf,
} from "../../../apps/host-daemon/src/hypervisor/run-command.ts";

const failed = { instanceOf: KnibError, code: "COMMAND_FAILED" };

test("runCommand › gives arguments to the program and to no shell", async (t) => {
	const result = await runCommand(["printf", "%s|", "a b", "$(x)", "`y`", ";", "*"]);
	t.is(textOf(result), "a b|$(x)|`y`|;|*|");
});

test("runCommand › fails with argv, exit code and the end of stderr", async (t) => {
	const script = "head -c 10000 /dev/zero | tr '\\0' x >&2; echo last >&2; exit 3";
	const error = await t.throwsAsync(runCommand(["sh", "-c", script]), failed);
	const details = error instanceof KnibError ? error.details : {};
	t.like(details, { argv: ["sh", "-c", script], exitCode: 3, signal: null });
	const stderr = String(details["stderr"]);
	t.is(stderr.length, 4096);
	t.true(stderr.endsWith("xlast\n"));
});

test("runCommand › takes other exit codes for success when told", async (t) => {
	t.is((await runCommand(["sh", "-c", "exit 3"], { accept: [3] })).exitCode, 3);
});

test("runCommand › names the package of a program that is not installed", async (t) => {
	const error = await t.throwsAsync(runCommand(["no-such-program"]), failed);
	t.is(error?.message, "no-such-program is not installed");
	const wrapped = runCommand(["no-such-program"], { background: true, tied: true });
	t.is((await t.throwsAsync(wrapped, failed))?.message, "no-such-program is not installed");
});

test("runCommand › kills at the deadline and on the signal", async (t) => {
	const late = runCommand(["sleep", "60"], { deadlineMs: 50 });
	await t.throwsAsync(late, { instanceOf: KnibError, code: "DEADLINE" });
	const controller = new AbortController();
	const cancelled = runCommand(["sh", "-c", "echo up; exec sleep 60"], {
		signal: controller.signal,
		onOutput: () => controller.abort(),
	});
	await t.throwsAsync(cancelled, { instanceOf: KnibError, code: "CANCELLED" });
	const before = runCommand(["true"], { signal: AbortSignal.abort() });
	await t.throwsAsync(before, { instanceOf: KnibError, code: "CANCELLED" });
});

test("runCommand › stops a program that says too much, or throws the rest away", async (t) => {
	const most = { maximumOutput: 1000 };
	await t.throwsAsync(runCommand(["yes"], most), { ...failed, message: /more output/ });
	const result = await runCommand(["seq", "10000"], { ...most, overflow: "truncate" });
	t.is(result.stdout.length, 1000);
	t.true(result.truncated);
});

test("runCommand › gives input as a regular file, and else none", async (t) => {
	const script = "stat -L -c '%F %a' /dev/stdin; cat /dev/stdin";
	const result = await runCommand(["sh", "-c", script], { input: "<secret/>" });
	t.is(textOf(result), "regular file 600\n<secret/>");
	t.is(textOf(await runCommand(["cat"])), "");
});

test("runCommand › speaks English to programs", async (t) => {
	t.is(textOf(await runCommand(["sh", "-c", 'echo "$LC_ALL"'])), "C\n");
});

test("wrapArgv › lowers the priority first and then ties the program", (t) => {
	t.deepEqual(wrapArgv(["x", "y"], {}), ["x", "y"]);
	t.deepEqual(
		wrapArgv(["x"], { background: true, tied: true }).join(" "),
		"nice -n 10 ionice -t -c 2 -n 7 setpriv --pdeathsig KILL -- x",
	);
});

test("isNoSpace › knows a full file system by its words", async (t) => {
	const full = await t.throwsAsync(runCommand(["dd", "if=/dev/zero", "of=/dev/full"]));
	t.true(isNoSpace(full));
	t.false(isNoSpace(new Error("No space left on device")));
});

test("converseWith › talks in lines and says how it ended", async (t) => {
	const lines: string[] = [];
	const child = converseWith(["cat"], (line) => {
		lines.push(line);
		if (lines.length === 2) child.kill();
	});
	child.write("one");
	child.write("two ünï");
	t.is((await child.ended).exitCode, undefined);
	t.deepEqual(lines, ["one", "two ünï"]);
	const missing = await converseWith(["no-such-program"], () => undefined).ended;
	t.is(missing.stderr, "no-such-program is not installed");
});
