import { KnibError } from "@knib/core";
import test from "ava";
import { createVirsh } from "../../../apps/host-daemon/src/hypervisor/virsh-client.ts";
import { fromVirsh } from "./recorded.ts";
import { type Answer, scriptedRun, sleepingClock } from "./scripted-run.ts";

const LOCKED =
	"error: Timed out during operation: cannot acquire state change lock (held by monitor=init-f1)";

const setUp = (answer: (argv: readonly string[]) => Answer) => {
	const { run, calls } = scriptedRun(answer);
	const clock = sleepingClock();
	return { virsh: createVirsh({ uri: "test:///x", run, clock }), calls, clock };
};

test("virsh › runs quietly on its URI, with a deadline", async (t) => {
	const { virsh, calls } = setUp(() => ({ stdout: "out\n" }));
	t.is(await virsh(["dominfo", "u"]), "out\n");
	t.deepEqual(calls[0]?.argv, ["virsh", "-q", "-c", "test:///x", "dominfo", "u"]);
	t.true((calls[0]?.options.deadlineMs ?? 0) > 0);
});

for (const [name, code] of [
	["error-no-domain", "VM_NOT_FOUND"],
	["error-unreachable", "LIBVIRT_UNREACHABLE"],
	["error-started", "COMMAND_FAILED"],
	["error-off-blockjob", "COMMAND_FAILED"],
] as const) {
	test(`virsh › takes ${name} for ${code}`, async (t) => {
		const stderr = fromVirsh(`${name}.txt`);
		const { virsh } = setUp(() => ({ stderr }));
		const error = await t.throwsAsync(virsh(["start", "u"]), { instanceOf: KnibError });
		t.like(error, { code });
		t.regex(error?.message ?? "", /^virsh start failed: (?!error)/);
		t.false(error?.message.includes("\n"));
	});
}

test("virsh › takes a connection that breaks off for an unreachable libvirt", async (t) => {
	const stderr =
		"error: Disconnected from qemu:///system due to end of file\nerror: End of file while reading data: Input/output error";
	const { virsh } = setUp(() => ({ stderr }));
	await t.throwsAsync(virsh(["list"]), { code: "LIBVIRT_UNREACHABLE" });
});

test("virsh › tries again while another call holds the VM's job lock", async (t) => {
	let left = 3;
	const { virsh, calls, clock } = setUp(() => {
		left -= 1;
		return left > 0 ? { stderr: LOCKED } : { stdout: "done" };
	});
	t.is(await virsh(["define"]), "done");
	t.is(calls.length, 3);
	t.true(clock.slept() > 0);
});

test("virsh › gives up on a lock that is never given back", async (t) => {
	const { virsh, clock } = setUp(() => ({ stderr: LOCKED }));
	await t.throwsAsync(virsh(["define"]), { code: "COMMAND_FAILED" });
	t.true(clock.slept() >= 300_000);
});
