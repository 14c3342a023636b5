// Two hosts, each with a libvirt of its own and a VM of the same uuid, back it up into one repository at the same time: the lease lets
// one, the other is refused in words, and no chain is torn. ACCEPTANCE H3.
import { randomUUID } from "node:crypto";
import test from "ava";
import { z } from "zod";
import { defineGuest } from "./support/guest.ts";
import { type Knib, startKnib } from "./support/knib.ts";
import { type Lab, startLab } from "./support/lab.ts";

const ROUNDS = 3;

const labs: Lab[] = [];
const hosts: Knib[] = [];

test.before(async () => {
	const uuid = randomUUID();
	for (const name of ["one", "other"]) {
		const lab = await startLab();
		labs.push(lab);
		const shared = hosts[0]?.repository;
		hosts.push(await startKnib(lab, name, shared === undefined ? {} : { repository: shared }));
		await defineGuest(lab, { name: "twin", uuid });
	}
});

test.after.always(async () => {
	for (const knib of hosts) await knib.stop();
	for (const lab of labs) await lab.stop();
});

const chainsSchema = z.array(
	z.looseObject({ state: z.string(), backups: z.array(z.string()), problems: z.array(z.string()) }),
);

test("twins › that back up at once are let through one at a time, and each chain stays whole", async (t) => {
	const taken: string[] = [];
	for (let round = 1; round <= ROUNDS; round += 1) {
		const ends = await Promise.all(
			hosts.map((knib) => knib.cli("backup", "create", "twin", "--json")),
		);
		const won = ends.filter(({ code }) => code === 0);
		t.true(won.length > 0, ends.map(({ stdout }) => stdout).join());
		for (const { code, stdout } of ends) {
			taken.push(String(code));
			if (code === 0) continue;
			t.is(code, 5, stdout);
			t.regex(stdout, /the lease of VM \S+ is held by host/);
		}
	}
	t.log(`exit codes ${taken.join(" ")}`);
	const count = taken.filter((code) => code === "0").length;
	for (const knib of hosts) {
		await knib.ok("repository", "rescan");
		const chains = chainsSchema.parse(await knib.ok("chain", "list"));
		t.is(chains.flatMap(({ backups }) => backups).length, count);
		t.true(chains.filter(({ state }) => state === "open").length <= 1);
		t.deepEqual(
			chains.flatMap(({ problems }) => problems),
			[],
		);
		await knib.ok("repository", "verify", "main");
	}
});
