import test from "ava";
import { inBatches } from "../../../apps/host-daemon/src/hypervisor/virsh-batch.ts";

const setUp = (answer: (command: string) => string | undefined = (command) => command) => {
	const together: (readonly string[])[] = [];
	const alone: string[] = [];
	const virsh = inBatches(
		async (commands) => {
			together.push(commands);
			const answers = commands.map(answer);
			return answers.every((one) => one !== undefined) ? answers : undefined;
		},
		async (argv) => {
			alone.push(argv.join(" "));
			return `alone: ${argv.join(" ")}`;
		},
	);
	return { virsh, together, alone };
};

test("batch › questions of one turn are asked together, and each gets its own answer", async (t) => {
	const { virsh, together, alone } = setUp((command) =>
		command === "list" ? "" : `<${command}>\n`,
	);
	t.deepEqual(
		await Promise.all([
			virsh(["dominfo", "u"]),
			virsh(["list"]),
			virsh(["snapshot-list", "u", "--name"]),
		]),
		["<dominfo u>\n", "", "<snapshot-list u --name>\n"],
	);
	t.deepEqual(together, [["dominfo u", "list", "snapshot-list u --name"]]);
	t.deepEqual(alone, []);
});

test("batch › what has no answer together is asked one by one", async (t) => {
	const { virsh } = setUp((command) => (command === "dominfo gone" ? undefined : command));
	t.deepEqual(await Promise.all([virsh(["dominfo", "gone"]), virsh(["dominfo", "u"])]), [
		"alone: dominfo gone",
		"alone: dominfo u",
	]);
});

test("batch › what changes something, has options, or would need quotes goes alone", async (t) => {
	const { virsh, together, alone } = setUp();
	const odd = ["snapshot-dumpxml", "u", "--snapshotname=a; destroy u"];
	await Promise.all([
		virsh(["destroy", "u"]),
		virsh(["blockjob", "u", "vda", "--abort"]),
		virsh(["dominfo", "u"], { deadlineMs: 5 }),
		virsh(odd),
	]);
	t.deepEqual(alone, ["destroy u", "blockjob u vda --abort", "dominfo u", odd.join(" ")]);
	t.deepEqual(together, []);
});

test("batch › many questions are several lines", async (t) => {
	const { virsh, together } = setUp();
	const asked = Array.from({ length: 130 }, (_, index) => `dominfo u${index}`);
	t.deepEqual(await Promise.all(asked.map((one) => virsh(one.split(" ")))), asked);
	t.is(together.length, 3);
});
