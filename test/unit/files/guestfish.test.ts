import { KnibError } from "@knib/core";
import test from "ava";
import { startGuestfish } from "../../../apps/host-daemon/src/files/guestfish.ts";
import type { Argv, Converse } from "../../../apps/host-daemon/src/hypervisor/run-command.ts";

type Child = {
	readonly argv: Argv;
	readonly say: (line: string) => void;
	readonly complain: (text: string) => void;
	readonly end: (exitCode: number, stderr: string) => void;
	readonly written: string[];
	killed: boolean;
};

/** A guestfish that a test speaks for; `onLine` gets each line that is written to it. */
const scripted = (onLine: (line: string, child: Child) => void) => {
	const children: Child[] = [];
	const converse: Converse = (argv, say, options = {}) => {
		let end: Child["end"] = () => undefined;
		const ended = new Promise<{ exitCode: number; stderr: string }>((resolve) => {
			end = (exitCode, stderr) => resolve({ exitCode, stderr });
		});
		const complain = options.onError ?? (() => undefined);
		const child: Child = { argv, say, complain, end, written: [], killed: false };
		children.push(child);
		return {
			write: (text) => {
				for (const line of text.split("\n")) {
					child.written.push(line);
					onLine(line, child);
				}
			},
			ended,
			kill: () => {
				child.killed = true;
				end(137, "");
			},
		};
	};
	return { converse, children };
};

const echoes = (line: string, child: Child): void => {
	if (line.startsWith("echo ")) child.say(line.slice("echo ".length));
	if (line === "exit") child.end(0, "");
};

test("guestfish › gives each command the lines up to its own mark, and what was said on stderr", async (t) => {
	const { converse, children } = scripted((line, child) => {
		if (line === "-first") child.say("one");
		if (line === "-second") child.complain("libguestfs: error: no such thing\n");
		echoes(line, child);
	});
	const guestfish = startGuestfish(converse)("/scratch/x");
	t.deepEqual(await guestfish.ask("first"), { lines: ["one"], errors: "" });
	const second = await guestfish.ask("second");
	t.deepEqual(second, { lines: [], errors: "libguestfs: error: no such thing\n" });
	await guestfish.close();
	t.true(children[0]?.argv.includes("LIBGUESTFS_TMPDIR=/scratch/x"));
	t.true(children[0]?.argv.includes("LIBGUESTFS_BACKEND=direct"));
});

test("guestfish › takes a line that looks like a mark for what it is", async (t) => {
	const { converse } = scripted((line, child) => {
		if (line === "-label") child.say("0".repeat(32));
		echoes(line, child);
	});
	const guestfish = startGuestfish(converse)("/scratch/x");
	t.deepEqual((await guestfish.ask("label")).lines, ["0".repeat(32)]);
	await guestfish.close();
});

test("guestfish › that is not installed is named with the command that installs it", async (t) => {
	const { converse } = scripted((_line, child) => child.end(127, "env: 'guestfish': No such file"));
	const error = await t.throwsAsync(startGuestfish(converse)("/x").ask("run"), {
		instanceOf: KnibError,
	});
	t.is(error?.code, "APPLIANCE_UNAVAILABLE");
	t.regex(String(error?.details["hint"]), /apt-get install guestfish/);
});

test("guestfish › that does not answer is killed at its deadline", async (t) => {
	const { converse, children } = scripted(() => undefined);
	const guestfish = startGuestfish(converse)("/x");
	const error = await t.throwsAsync(guestfish.ask("run", 10), { instanceOf: KnibError });
	t.is(error?.code, "DEADLINE");
	t.true(children[0]?.killed);
	await t.throwsAsync(guestfish.ask("run"), { instanceOf: KnibError });
	await guestfish.close();
});
