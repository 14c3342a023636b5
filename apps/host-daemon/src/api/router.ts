import { backupProcedures, chainProcedures } from "./handlers/backup.ts";
import { benchmarkProcedures } from "./handlers/benchmark.ts";
import { eventProcedures } from "./handlers/event.ts";
import { filesProcedures } from "./handlers/files.ts";
import { daemonProcedures, hostProcedures } from "./handlers/host.ts";
import { jobProcedures } from "./handlers/job.ts";
import { offeringProcedures } from "./handlers/offering.ts";
import { peerProcedures } from "./handlers/peer.ts";
import { repositoryProcedures } from "./handlers/repository.ts";
import { retentionProcedures } from "./handlers/retention.ts";
import { scheduleProcedures } from "./handlers/schedule.ts";
import { selectorProcedures } from "./handlers/selector.ts";
import { settingsProcedures } from "./handlers/settings.ts";
import { vmProcedures } from "./handlers/vm.ts";
import { router } from "./trpc.ts";

/** The control API: topics as on the command line. */
export const appRouter = router({
	vm: vmProcedures,
	offering: offeringProcedures,
	repository: repositoryProcedures,
	host: hostProcedures,
	backup: backupProcedures,
	chain: chainProcedures,
	files: filesProcedures,
	job: jobProcedures,
	benchmark: benchmarkProcedures,
	event: eventProcedures,
	peer: peerProcedures,
	retention: retentionProcedures,
	schedule: scheduleProcedures,
	selector: selectorProcedures,
	settings: settingsProcedures,
	daemon: daemonProcedures,
});

/** The type from which the client infers its calls. */
export type AppRouter = typeof appRouter;
