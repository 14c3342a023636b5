// A process that serves the real control API over a made-up host, for terminals to look at:
//   node show-daemon.ts SOCKET [--vms N] [--backups N] [--jobs N] [--reporting N] [--hostile]
// Prints a line when it can be reached.
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createMemoryStore } from "@knib/sync";
import { catalogDocuments } from "../../../apps/host-daemon/src/catalog/create-catalog.ts";
import { apiWorld } from "../api-world.ts";
import { showBackups, showVms } from "./facts.ts";
import { showJobService } from "./jobs.ts";
import { showScreen } from "./screen.ts";

const text = (fallback: string) => ({ type: "string", default: fallback }) as const;
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		vms: text("9"),
		backups: text("60"),
		jobs: text("12"),
		reporting: text("2"),
		hostile: { type: "boolean", default: false },
	},
});
const [socket = ""] = positionals;
const now = Date.now();
const vms = showVms(Number(values.vms), values.hostile);
const screens = await mkdtemp(join(tmpdir(), "knib-show-"));
await mkdir(join(screens, "validation", "shown"), { recursive: true });
await writeFile(join(screens, "validation", "shown", "screenshot.png"), showScreen());
// Kept as the daemon keeps it: the store hands out what it holds, and a body is checked once.
const documents = catalogDocuments(createMemoryStore({ owner: "fe".repeat(32) }));
const world = await apiWorld({
	documents,
	vms,
	socket,
	screens,
	jobService: showJobService(vms, {
		count: Number(values.jobs),
		reporting: Number(values.reporting),
		now,
	}),
});
const added = { name: "main", path: "/srv/backups", default: true, dryRun: false };
await (await world.books.repositoryChanges.add(added)).apply();
const [repository] = await world.books.catalog.repositories();
const place = { repository: "main", repositoryId: repository?.id ?? "", now };
const { backups, chains } = showBackups(place, vms, Number(values.backups));
await documents.backups.put(...backups);
await documents.chains.put(...chains);
process.stdout.write("ready\n");
