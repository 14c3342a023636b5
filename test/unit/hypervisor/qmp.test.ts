import { KnibError } from "@knib/core";
import test from "ava";
import { openQmp } from "../../../apps/host-daemon/src/hypervisor/qmp.ts";
import type { Converse } from "../../../apps/host-daemon/src/hypervisor/run-command.ts";

const GREETING = '{"QMP":{"version":{},"capabilities":["oob"]}}';
const ARGV = ["qemu-storage-daemon"] as const;

/** A child that greets and answers each line by a function; undefined ends it. */
const child = (
	answer: (command: string) => string | undefined,
	greeting: string | undefined = GREETING,
) => {
	type Ending = { readonly exitCode: number | undefined; readonly stderr: string };
	const written: string[] = [];
	let killed = false;
	const converse: Converse = (_argv, onLine) => {
		let end = (_ending: Ending): void => undefined;
		const ended = new Promise<Ending>((resolve) => {
			end = resolve;
		});
		const say = (line: string | undefined): void => {
			if (line === undefined) end({ exitCode: 1, stderr: "qemu: it broke\n" });
			else queueMicrotask(() => onLine(line));
		};
		say(greeting);
		return {
			write: (line) => {
				written.push(line);
				if (line.includes('"quit"')) {
					say('{"return":{}}');
					end({ exitCode: 0, stderr: "" });
				} else if (line.includes("qmp_capabilities")) say('{"return":{}}');
				else say(answer(line));
			},
			ended,
			kill: () => {
				killed = true;
				end({ exitCode: undefined, stderr: "" });
			},
		};
	};
	return { converse, written, killed: () => killed };
};

const failed = { instanceOf: KnibError, code: "COMMAND_FAILED" };

test("qmp › answers commands and passes events by", async (t) => {
	let events = 0;
	const { converse, written } = child(() => {
		events += 1;
		return '{"return":{"a":1}}';
	});
	const qmp = await openQmp(converse, ARGV);
	t.deepEqual(await qmp.execute("query-x", { b: 2 }), { a: 1 });
	t.is(written[1], '{"execute":"query-x","arguments":{"b":2}}');
	await qmp.close();
	t.is(events, 1);
});

test("qmp › rejects with what qemu says", async (t) => {
	const { converse } = child(() => '{"error":{"class":"GenericError","desc":"no such node"}}');
	const qmp = await openQmp(converse, ARGV);
	await t.throwsAsync(qmp.execute("x"), { ...failed, message: /x failed: no such node/ });
	await qmp.close();
});

test("qmp › rejects what was asked when the child ends, and everything after", async (t) => {
	const { converse } = child(() => undefined);
	const qmp = await openQmp(converse, ARGV);
	await t.throwsAsync(qmp.execute("x"), { ...failed, message: /it broke/ });
	await t.throwsAsync(qmp.execute("y"), { ...failed, message: /it broke/ });
	await qmp.close();
});

test("qmp › kills a child that talks nonsense", async (t) => {
	const { converse, killed } = child(() => "Segmentation fault");
	const qmp = await openQmp(converse, ARGV);
	await t.throwsAsync(qmp.execute("x"), { ...failed, message: /cannot be read/ });
	t.true(killed());
});
