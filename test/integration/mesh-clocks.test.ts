// Real daemons whose clocks are 10 minutes apart each, and work on all sides of cut links: they become alike all the same.
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { aMeshHost, connectedTo, type MeshHost, pair, until } from "../support/mesh-hosts.ts";

const WRONG_CLOCK = fileURLToPath(new URL("../support/wrong-clock.ts", import.meta.url));
const MINUTES = 60_000;

const aHost = (t: ExecutionContext, name: string, off: number): Promise<MeshHost> =>
	aMeshHost(t, name, { NODE_OPTIONS: `--import=${WRONG_CLOCK}`, WRONG_CLOCK_MS: String(off) });

const describe = (host: MeshHost, changes: { description?: string; compress?: boolean }) =>
	host.api.offering.update.mutate({ offering: "gold", changes });

test.serial(
	"clocks › 10 minutes apart change nothing in what hosts agree on, and are shown",
	async (t) => {
		t.timeout(300_000);
		const late = await aHost(t, "late", -10 * MINUTES);
		const right = await aHost(t, "right", 0);
		const early = await aHost(t, "early", 10 * MINUTES);
		const hosts = [late, right, early];
		await pair(right, late);
		await pair(right, early);
		for (const host of hosts) await connectedTo(host, 2);
		await right.api.offering.create.mutate({ name: "gold" });
		for (const host of hosts) {
			await until(
				`gold at ${host.name}`,
				() => host.api.offering.list.query({ showRemoved: false }),
				(all) => all.some(({ name }) => name === "gold"),
			);
		}
		// Written one after the other: what was known counts, not what the clocks say.
		await describe(early, { description: "first, by the early one" });
		await until(
			"it at the late one",
			() => late.api.offering.show.query({ offering: "gold" }),
			({ description }) => description.startsWith("first"),
		);
		await describe(late, { description: "then, by the late one" });
		for (const host of hosts) {
			await until(
				`the later edit at ${host.name}`,
				() => host.api.offering.show.query({ offering: "gold" }),
				({ description }) => description.startsWith("then"),
			);
		}
		const shown = await late.api.peer.show.query({ peer: "early" });
		t.true(Math.abs((shown.skewMs ?? 0) - 20 * MINUTES) < MINUTES, `${shown.skewMs} ms`);
		t.regex(shown.warnings.join(), /its clock is 1[12]\d\d\.\d s from this host's/);

		for (const { gate } of hosts) gate.shut();
		for (const host of hosts) await connectedTo(host, 0);
		for (const host of hosts) await describe(host, { description: `as ${host.name} sees it` });
		await describe(late, { compress: true });
		for (const { gate } of hosts) gate.open();
		for (const host of hosts) await connectedTo(host, 2);
		await until(
			"equal replicas",
			async () =>
				(await Promise.all(hosts.map((host) => host.api.peer.digest.query()))).map((all) =>
					JSON.stringify(all),
				),
			(all) => new Set(all).size === 1,
		);
		const [first, ...others] = await Promise.all(
			hosts.map((host) => host.api.peer.conflicts.query()),
		);
		t.like(first, [{ kind: "offering", name: "gold", field: "description" }]);
		for (const one of others) t.deepEqual(one, first);
		for (const host of hosts) {
			t.like(await host.api.offering.show.query({ offering: "gold" }), { compress: true });
		}
	},
);
