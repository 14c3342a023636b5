import { KnibError } from "@knib/core";
import test from "ava";
import type { CommandResult } from "../../../apps/host-daemon/src/hypervisor/run-command.ts";
import { inBatches } from "../../../apps/host-daemon/src/hypervisor/virsh-batch.ts";
import { createVirsh } from "../../../apps/host-daemon/src/hypervisor/virsh-client.ts";
import { sleepingClock } from "./scripted-run.ts";

/** A virsh that answers a line of commands as the real one does: each in turn, errors on stderr, the exit code of the last. */
const setUp = (answer: (command: string) => string | Error) => {
	const lines: string[] = [];
	const run = async (argv: readonly string[]): Promise<CommandResult> => {
		const words = argv.slice(4);
		lines.push(words.join(" "));
		const commands = words.length === 1 ? (words[0] ?? "").split("; ") : [words.join(" ")];
		let [stdout, stderr] = ["", ""];
		for (const command of commands) {
			const said = command.startsWith("echo ") ? command.slice(5) : answer(command);
			if (said instanceof Error) stderr += `error: ${said.message}\n`;
			else stdout += said;
		}
		if (commands.length === 1 && stderr !== "") {
			throw new KnibError("COMMAND_FAILED", stderr, { details: { argv, stderr } });
		}
		return { exitCode: 0, stdout: Buffer.from(stdout), stderr, truncated: false };
	};
	let count = 0;
	const ids = {
		random: () => {
			count += 1;
			return `nonce${count}`;
		},
	};
	const deps = { uri: "test:///x", run, ids };
	return { virsh: inBatches(deps, createVirsh({ ...deps, clock: sleepingClock() })), lines };
};

test("batch › questions of one turn are one virsh, and each gets its own answer", async (t) => {
	const { virsh, lines } = setUp((command) => `<${command}>\n`);
	t.deepEqual(
		await Promise.all([virsh(["dominfo", "u"]), virsh(["snapshot-list", "u", "--name"])]),
		["<dominfo u>\n", "<snapshot-list u --name>\n"],
	);
	t.deepEqual(lines, ["dominfo u; echo nonce1; snapshot-list u --name; echo nonce1"]);
});

test("batch › an answer may be empty, and a lone question is asked plainly", async (t) => {
	const { virsh, lines } = setUp(() => "");
	t.deepEqual(await Promise.all([virsh(["list"]), virsh(["domstats"])]), ["", ""]);
	t.is(await virsh(["dominfo", "u"]), "");
	t.deepEqual(lines, ["list; echo nonce1; domstats; echo nonce1", "dominfo u"]);
});

test("batch › one that fails is its own failure, and the others have their answers", async (t) => {
	const { virsh } = setUp((command) =>
		command === "dominfo gone" ? new Error("failed to get domain 'gone'") : command,
	);
	const [lost, found] = await Promise.allSettled([
		virsh(["dominfo", "gone"]),
		virsh(["dominfo", "u"]),
	]);
	t.is(found.status === "fulfilled" ? found.value : "", "dominfo u");
	t.like(lost.status === "rejected" ? lost.reason : {}, { code: "VM_NOT_FOUND" });
});

test("batch › an answer that holds what separates answers is asked for again alone", async (t) => {
	const { virsh } = setUp((command) => (command.startsWith("dumpxml") ? "a nonce1 b" : command));
	t.deepEqual(await Promise.all([virsh(["dumpxml", "u"]), virsh(["list"])]), [
		"a nonce1 b",
		"list",
	]);
});

test("batch › what changes something, has options, or would need quotes goes alone", async (t) => {
	const { virsh, lines } = setUp((command) => command);
	const odd = ["snapshot-dumpxml", "u", "--snapshotname=a; destroy u"];
	await Promise.all([
		virsh(["destroy", "u"]),
		virsh(["blockjob", "u", "vda", "--abort"]),
		virsh(["dominfo", "u"], { deadlineMs: 5 }),
		virsh(odd),
	]);
	t.deepEqual(lines.toSorted(), [
		"blockjob u vda --abort",
		"destroy u",
		"dominfo u",
		odd.join(" "),
	]);
});

test("batch › many questions are several lines", async (t) => {
	const { virsh, lines } = setUp((command) => command);
	const asked = Array.from({ length: 130 }, (_, index) => `dominfo u${index}`);
	t.deepEqual(await Promise.all(asked.map((one) => virsh(one.split(" ")))), asked);
	t.is(lines.length, 3);
});
