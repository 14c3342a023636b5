import test from "ava";
import type { Converse } from "../../../apps/host-daemon/src/hypervisor/run-command.ts";
import { createSessions } from "../../../apps/host-daemon/src/hypervisor/virsh-session.ts";

/** A virsh that shows what it is told, then what the commands say, as the real one does whose input is a pipe. */
const setUp = (answer: (command: string) => string | Error) => {
	let opened = 0;
	let killed = 0;
	let nonces = 0;
	const converse: Converse = (_argv, onLine, options = {}) => {
		opened += 1;
		let text = "virsh # ";
		let end = (_: { exitCode: number | undefined; stderr: string }): void => undefined;
		const ended = new Promise<{ exitCode: number | undefined; stderr: string }>((resolve) => {
			end = resolve;
		});
		const sayAnswer = (said: string | Error): boolean => {
			if (said === "dies") end({ exitCode: 1, stderr: "" });
			else if (said instanceof Error) options.onError?.(`error: ${said.message}\n`);
			else if (said !== "hangs") text += said;
			return said !== "dies" && said !== "hangs";
		};
		const say = (command: string): boolean => {
			const [echo, stream, first, second] = /^echo (--err )?'(.*)''(.*)'$/.exec(command) ?? [];
			if (echo === undefined) return sayAnswer(answer(command));
			if (stream === undefined) text += `${first}${second}`;
			else options.onError?.(`error: ${first}${second}\n`);
			return true;
		};
		return {
			write: (line) => {
				text += line.replace(/\n.*/, "\n");
				const goesOn = line.trim().split("; ").every(say);
				text += goesOn ? "virsh # \nvirsh # " : "";
				const lines = text.split("\n");
				text = lines.pop() ?? "";
				queueMicrotask(() => {
					for (const one of lines) onLine(one);
				});
			},
			ended,
			kill: () => {
				killed += 1;
				end({ exitCode: undefined, stderr: "" });
			},
		};
	};
	const ids = {
		random: () => {
			nonces += 1;
			return `nonce${nonces}`;
		},
	};
	const ask = createSessions({ uri: "test:///x", converse, ids });
	return { ask, opened: () => opened, killed: () => killed };
};

test("session › answers one line after another, each command for itself, without starting again", async (t) => {
	const { ask, opened } = setUp((command) => (command === "list" ? "" : `<${command}>\n  more\n`));
	t.deepEqual(await ask(["dominfo u", "list", "domstate u"]), [
		"<dominfo u>\n  more\n",
		"",
		"<domstate u>\n  more\n",
	]);
	t.deepEqual(await ask(["domstate v"]), ["<domstate v>\n  more\n"]);
	t.is(opened(), 1);
});

test("session › gives no answer where one command failed, and ends", async (t) => {
	const { ask, opened, killed } = setUp((command) =>
		command === "dominfo gone" ? new Error("failed to get domain 'gone'") : command,
	);
	t.is(await ask(["dominfo u", "dominfo gone"]), undefined);
	t.is(killed(), 1);
	t.deepEqual(await ask(["dominfo u"]), ["dominfo u"]);
	t.is(opened(), 2);
});

test("session › gives no answer where virsh dies on the way", async (t) => {
	const { ask } = setUp((command) => (command === "list" ? "dies" : command));
	t.is(await ask(["dominfo u", "list"]), undefined);
	t.deepEqual(await ask(["dominfo u"]), ["dominfo u"]);
});

test("session › gives no answer where a command says what separates answers", async (t) => {
	const { ask } = setUp((command) => (command === "dumpxml u" ? "a nonce1 b\n" : command));
	t.is(await ask(["dumpxml u", "list"]), undefined);
});

test("session › asks some at a time, and none beyond that", async (t) => {
	const { ask, opened } = setUp(() => "hangs");
	const hanging = Array.from({ length: 4 }, () => ask(["list"]));
	t.is(await ask(["list"]), undefined);
	t.is(opened(), 4);
	t.is(hanging.length, 4);
});
