import { KnibError } from "@knib/core";
import test from "ava";
import {
	parseBlockJob,
	parseDominfo,
	parseList,
	parseNames,
	parseState,
	parseStates,
	parseVersions,
} from "../../../apps/host-daemon/src/hypervisor/virsh-parse.ts";
import { fromVirsh } from "./recorded.ts";

const UUID = "0b0f3e9a-6f3e-4f6c-9d0c-2f6f6a3f9a01";
const unreadable = { instanceOf: KnibError, code: "COMMAND_FAILED" };

test("parseList › keeps names with spaces and signs", (t) => {
	t.deepEqual(parseList(fromVirsh("list.txt")), [{ uuid: UUID, name: "web & shop" }]);
	t.deepEqual(parseList(`${UUID}  -x  y\n\n`), [{ uuid: UUID, name: "-x  y" }]);
	t.deepEqual(parseList("\n"), []);
});

test("parseList › takes an answer that it cannot read for an error, not for no VMs", (t) => {
	t.throws(() => parseList("error: something"), unreadable);
	t.throws(() => parseList(`${UUID} `), unreadable);
});

test("parseStates › reads states by name", (t) => {
	t.deepEqual([...parseStates(fromVirsh("domstats.txt"))], [["web & shop", "running"]]);
	const text =
		"Domain: 'a'\n  state.state=5\nDomain: 'b'\n  state.state=3\nDomain: 'c'\n  state.state=7\n";
	t.deepEqual(
		[...parseStates(text)],
		[
			["a", "shut off"],
			["b", "paused"],
			["c", "other"],
		],
	);
	t.throws(() => parseStates("garbage"), unreadable);
});

test("parseState › reads the words of domstate", (t) => {
	t.is(parseState("shut off\n"), "shut off");
	t.is(parseState("in shutdown\n"), "running");
	t.is(parseState("pmsuspended\n"), "other");
});

test("parseDominfo › tells running, off and saved VMs apart", (t) => {
	const base = { persistent: true, managedSave: false };
	t.deepEqual(parseDominfo(fromVirsh("dominfo-running.txt")), { ...base, state: "running" });
	t.deepEqual(parseDominfo(fromVirsh("dominfo-off.txt")), { ...base, state: "shut off" });
	t.deepEqual(parseDominfo(fromVirsh("dominfo-managed-save.txt")), {
		state: "shut off",
		persistent: true,
		managedSave: true,
	});
});

test("parseDominfo › refuses a managed save that libvirt could not tell", (t) => {
	const text = fromVirsh("dominfo-off.txt").replace(
		"Managed save:   no",
		"Managed save:   unknown",
	);
	t.throws(() => parseDominfo(text), unreadable);
	t.throws(() => parseDominfo(""), unreadable);
});

test("parseDominfo › takes a transient VM to have no managed save", (t) => {
	const text = fromVirsh("dominfo-running.txt")
		.replace("Persistent:     yes", "Persistent:     no")
		.replace("Managed save:   no", "Managed save:   unknown");
	t.deepEqual(parseDominfo(text), { state: "running", persistent: false, managedSave: false });
});

test("parseNames › reads one name a line", (t) => {
	t.deepEqual(parseNames(fromVirsh("snapshot-list.txt")), ["-dash", "before update", "memory"]);
	t.deepEqual(parseNames(fromVirsh("checkpoint-list-none.txt")), []);
});

test("parseBlockJob › reads a job, and none", (t) => {
	t.is(parseBlockJob(fromVirsh("blockjob-none.txt")), undefined);
	t.deepEqual(parseBlockJob(fromVirsh("blockjob-commit.txt")), {
		type: "Active Block Commit",
		cur: 0,
		end: 20_971_520,
	});
	t.throws(() => parseBlockJob("type=Copy\ncur=x"), unreadable);
});

test("parseVersions › reads the daemon's and qemu's", (t) => {
	t.deepEqual(parseVersions(fromVirsh("version.txt")), { libvirt: "9.0.0", qemu: "7.2.22" });
	t.throws(() => parseVersions("Using library: libvirt 9.0.0"), unreadable);
});
