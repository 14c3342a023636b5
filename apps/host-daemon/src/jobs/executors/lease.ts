import { notNow, type Outcomes } from "@knib/core";
import { openTips } from "../../facts/gather-chain.ts";
import type { Executor, StepContext } from "../context.ts";

/** A plan was made before the lease was there: another host may have opened, continued or ended a chain of the VM since. Rejects with a "not now", after which the job is planned anew. */
const assertAsPlanned = async (context: StepContext): Promise<void> => {
	const { plan } = context;
	if (plan.type !== "Backup" || plan.openTips === undefined) return;
	const repository = await context.repository();
	const tips = openTips(await repository.chains(plan.vm.uuid));
	if (tips.join() === plan.openTips.join()) return;
	throw notNow(
		`the chains of VM ${plan.vm.name} in repository ${plan.repository.name} were changed by another host; the backup is planned anew`,
	);
};

/** Takes the VM's lease. */
export const lease: Executor<"lease"> = {
	run: async (_step, context): Promise<Outcomes> => {
		const { fencing } = await context.lease();
		await assertAsPlanned(context);
		return { fencing };
	},
};
