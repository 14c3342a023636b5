import { KnibError } from "@knib/core";
import test from "ava";
import { z } from "zod";
import {
	execInGuest,
	freezeGuest,
	syncAgent,
	thawGuest,
} from "../../../apps/host-daemon/src/hypervisor/guest-agent.ts";
import { createVirsh } from "../../../apps/host-daemon/src/hypervisor/virsh-client.ts";
import { fromVirsh } from "./recorded.ts";
import { type Answer, scriptedRun, sleepingClock } from "./scripted-run.ts";

const requestSchema = z.object({
	execute: z.string(),
	arguments: z.record(z.string(), z.unknown()).optional(),
});
type Request = z.infer<typeof requestSchema>;

/** An agent that answers each request by a function; text or a value. */
const agent = (reply: (request: Request) => Answer | { readonly return: unknown }) => {
	const clock = sleepingClock();
	const requests: Request[] = [];
	const { run } = scriptedRun((argv) => {
		const request = requestSchema.parse(JSON.parse(argv[6] ?? ""));
		requests.push(request);
		const answer = reply(request);
		return "return" in answer ? { stdout: JSON.stringify(answer) } : answer;
	});
	const deps = {
		virsh: createVirsh({ uri: "test:///x", run, clock }),
		clock,
		ids: { random: () => "0000000000ff" },
	};
	return { deps, requests, clock };
};

const silent = { instanceOf: KnibError, code: "AGENT_SILENT" };
const program = { path: "/bin/x", args: ["-a", "b"], deadlineMs: 60_000, maximumOutput: 4 };

test("syncAgent › is true only when the id comes back", async (t) => {
	const right = agent(() => ({ return: 255 }));
	t.true(await syncAgent(right.deps, "u", 1000));
	t.deepEqual(right.requests, [{ execute: "guest-sync", arguments: { id: 255 } }]);
	t.false(await syncAgent(agent(() => ({ return: 254 })).deps, "u", 1000));
});

for (const name of [
	"error-agent-silent",
	"error-agent-command",
	"error-agent-paused",
	"error-off-agent",
]) {
	test(`agent › is silent: ${name}`, async (t) => {
		const { deps } = agent(() => ({ stderr: fromVirsh(`${name}.txt`) }));
		t.false(await syncAgent(deps, "u", 1000));
		await t.throwsAsync(freezeGuest(deps, "u"), silent);
		await t.throwsAsync(execInGuest(deps, "u", program), silent);
	});
}

test("agent › passes on that libvirt or the VM is not there", async (t) => {
	const gone = agent(() => ({ stderr: fromVirsh("error-no-domain.txt") }));
	await t.throwsAsync(syncAgent(gone.deps, "u", 1000), { code: "VM_NOT_FOUND" });
	const away = agent(() => ({ stderr: fromVirsh("error-unreachable.txt") }));
	await t.throwsAsync(freezeGuest(away.deps, "u"), { code: "LIBVIRT_UNREACHABLE" });
});

for (const garbage of ["", "nonsense", "[]", '{"return":"x"}', '{"return":{"pid":1}}', "null"]) {
	test(`agent › takes garbage for silence: ${JSON.stringify(garbage)}`, async (t) => {
		const { deps } = agent(() => ({ stdout: garbage }));
		t.false(await syncAgent(deps, "u", 1000));
		await t.throwsAsync(thawGuest(deps, "u"), silent);
	});
}

test("freezeGuest › says how many file systems", async (t) => {
	t.is(await freezeGuest(agent(() => ({ return: 3 })).deps, "u"), 3);
	t.is(await thawGuest(agent(() => ({ return: 0 })).deps, "u"), 0);
});

test("execInGuest › waits for the end and decodes what was printed", async (t) => {
	let asked = 0;
	const { deps, requests, clock } = agent(({ execute }) => {
		if (execute === "guest-exec") return { return: { pid: 7 } };
		asked += 1;
		if (asked < 3) return { return: { exited: false } };
		const out = Buffer.from("12345").toString("base64");
		return { return: { exited: true, exitcode: 2, "out-data": out } };
	});
	const result = await execInGuest(deps, "u", program);
	t.like(result, { exitCode: 2, signal: null, truncated: true });
	t.is(Buffer.from(result.stdout).toString(), "1234");
	t.is(result.stderr.length, 0);
	t.deepEqual(requests[0]?.arguments, { path: "/bin/x", arg: ["-a", "b"], "capture-output": true });
	t.deepEqual(requests[1]?.arguments, { pid: 7 });
	t.true(clock.slept() > 0);
});

test("execInGuest › tells a signal from an exit code", async (t) => {
	const { deps } = agent(({ execute }) =>
		execute === "guest-exec" ? { return: { pid: 7 } } : { return: { exited: true, signal: 9 } },
	);
	t.like(await execInGuest(deps, "u", program), { exitCode: null, signal: 9, truncated: false });
});

test("execInGuest › stops waiting at its deadline, and when cancelled", async (t) => {
	const never = ({ execute }: Request) =>
		execute === "guest-exec" ? { return: { pid: 7 } } : { return: { exited: false } };
	await t.throwsAsync(execInGuest(agent(never).deps, "u", program), { code: "DEADLINE" });
	const signal = AbortSignal.abort();
	await t.throwsAsync(execInGuest(agent(never).deps, "u", program, signal), { code: "CANCELLED" });
});

test("execInGuest › takes output that is no base64 for silence", async (t) => {
	const { deps } = agent(({ execute }) =>
		execute === "guest-exec"
			? { return: { pid: 7 } }
			: { return: { exited: true, exitcode: 0, "out-data": "\u0000<>" } },
	);
	await t.throwsAsync(execInGuest(deps, "u", program), silent);
});
