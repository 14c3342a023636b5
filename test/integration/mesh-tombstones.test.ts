// Real daemons, a month later: what was removed is remembered until every host knows it, and then forgotten.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRxStore } from "@knib/sync";
import test, { type ExecutionContext } from "ava";
import { aMeshHost, connectedTo, type MeshHost, pair, until } from "../support/mesh-hosts.ts";

const WRONG_CLOCK = fileURLToPath(new URL("../support/wrong-clock.ts", import.meta.url));
const DAYS = 86_400_000;

/** How many removed requests a host that does not run remembers. */
const remembered = async (t: ExecutionContext, { home, id }: MeshHost): Promise<number> => {
	const store = await openRxStore({
		dir: join(home, "state", "store"),
		owner: id,
		sign: () => "",
		onFatal: (error) => t.fail(error.message),
	});
	const all = await store.replica.list("intent");
	await store.close();
	return all.filter((one) => one.way === "owned" && one.body === null).length;
};

const hourlyOf = ({ home }: MeshHost): string => join(home, "hourly");

/** Starts a host a month later, with its hours passing quickly. */
const startLater = (host: MeshHost): Promise<void> =>
	host.start({
		NODE_OPTIONS: `--import=${WRONG_CLOCK}`,
		WRONG_CLOCK_MS: String(31 * DAYS),
		HOURLY: hourlyOf(host),
	});

/** Waits until what is done every hour has been done some times more. */
const hours = async (host: MeshHost, count: number): Promise<void> => {
	const size = async (): Promise<number> =>
		(await stat(hourlyOf(host)).catch(() => ({ size: 0 }))).size;
	const before = await size();
	await until(`${count} hours at ${host.name}`, size, (now) => now >= before + count);
};

/** Does something with one host after the other. */
const each = async (
	hosts: readonly MeshHost[],
	work: (host: MeshHost) => Promise<unknown>,
): Promise<void> => {
	for (const host of hosts) await work(host);
};

test.serial("tombstones › are kept until all hosts have them, and are gone then", async (t) => {
	t.timeout(300_000);
	const asking = await aMeshHost(t, "alpha");
	const doing = await aMeshHost(t, "beta");
	const away = await aMeshHost(t, "gamma");
	await pair(doing, asking);
	await pair(doing, away);
	await each([asking, doing, away], (host) => connectedTo(host, 2));
	const intents = async (host: MeshHost): Promise<string> =>
		JSON.stringify((await host.api.peer.digest.query())["intent"]);
	const none = await intents(asking);
	await away.kill();
	const missing = "0196f000-0000-7000-8000-00000000dead";
	const request = { type: "DeleteBackup", backup: missing } as const;
	const job = await asking.api.job.ask.mutate({ host: "beta", request });
	await until(
		"the job's end",
		() => asking.api.job.show.query({ job: job.id }),
		({ endedAt }) => endedAt !== null,
	);
	await each([asking, doing], (host) =>
		until(
			"the request to be removed",
			() => intents(host),
			(digest) => digest === none,
		),
	);
	await each([asking, doing], (host) => host.kill());
	t.deepEqual([await remembered(t, asking), await remembered(t, doing)], [1, 1]);

	await each([asking, doing], startLater);
	await each([asking, doing], (host) => connectedTo(host, 1));
	await each([asking, doing], (host) => hours(host, 3));
	await each([asking, doing], (host) => host.kill());
	t.deepEqual([await remembered(t, asking), await remembered(t, doing)], [1, 1]);

	// What a host has read of another is not seen from outside: a busy machine gets some more time for it.
	let left = [1, 1];
	for (let tries = 0; tries < 6 && left.join() !== "0,0"; tries += 1) {
		await each([asking, doing, away], startLater);
		await each([asking, doing, away], (host) => connectedTo(host, 2));
		await each([asking, doing], (host) => hours(host, 5));
		await each([asking, doing, away], (host) => host.kill());
		left = [await remembered(t, asking), await remembered(t, doing)];
	}
	t.deepEqual(left, [0, 0]);
});
