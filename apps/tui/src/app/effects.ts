// What update asks for is done here, and comes back as messages: with `read.ts` and `connection.ts` the only place that waits.
import type { CheckView, InviteView } from "@knib/core";
import { asKnibError, viewError } from "@knib/core/errors";
import { showHostId } from "@knib/core/host-id";
import { instant, short } from "@knib/core/text";
import type { KnibClient } from "@knib/host-daemon/client";
import type { Act, Change } from "./acts.ts";
import type { Effect, Msg } from "./msg.ts";
import { readAfterJob, readAll, readFiles, readLists, readPicture } from "./read.ts";
import type { Told } from "./state.ts";

type Api = KnibClient["api"];
type Dispatch = (msg: Msg) => void;

const words = (error: unknown): string => {
	const { code, message, hint } = viewError(asKnibError(error));
	// Its hint is for those who type flags.
	return code === "USAGE" ? message : `${message}; next: ${hint}`;
};

type Caller<C extends Change["call"]> = (
	api: Api,
	change: Extract<Change, { call: C }>,
	dryRun: boolean,
) => Promise<unknown>;

/** Calls that cannot be tried dry answer null then. */
const CALLS: { readonly [C in Change["call"]]: Caller<C> } = {
	pin: (api, { backup }, dryRun) => api.backup.pin.mutate({ backup, dryRun }),
	unpin: (api, { backup }, dryRun) => api.backup.unpin.mutate({ backup, dryRun }),
	undelete: (api, { backup }, dryRun) => api.backup.undelete.mutate({ backup, dryRun }),
	set: (api, { name, value, scope }, dryRun) =>
		api.settings.set.mutate({ name, value, ...scope, dryRun }),
	unset: (api, { name, scope }, dryRun) => api.settings.unset.mutate({ name, ...scope, dryRun }),
	assign: (api, { vm, offering }, dryRun) => api.vm.assign.mutate({ vm, offering, dryRun }),
	unassign: (api, { vm }, dryRun) => api.vm.unassign.mutate({ vm, dryRun }),
	"set-vm": (api, { vm, values }, dryRun) => api.vm.set.mutate({ vm, values, dryRun }),
	"create-offering": (api, { name, fields }, dryRun) =>
		api.offering.create.mutate({ ...fields, name, dryRun }),
	"update-offering": (api, { offering, changes }, dryRun) =>
		api.offering.update.mutate({ offering, changes, dryRun }),
	"clone-offering": (api, { offering, name }, dryRun) =>
		api.offering.clone.mutate({ offering, name, dryRun }),
	"delete-offering": (api, { offering }, dryRun) =>
		api.offering.delete.mutate({ offering, dryRun }),
	"add-repository": (api, { call: _, ...fields }, dryRun) =>
		api.repository.add.mutate({ ...fields, dryRun }),
	"remove-repository": (api, { repository }, dryRun) =>
		api.repository.remove.mutate({ repository, dryRun }),
	invite: async (api, { role }, dryRun) => (dryRun ? null : await api.peer.invite.mutate({ role })),
	join: (api, { code }, dryRun) => api.peer.join.mutate({ code, dryRun }),
	role: (api, { peer, role }, dryRun) => api.peer.role.mutate({ peer, role, dryRun }),
	"rotate-key": (api, _, dryRun) => api.peer.rotateKey.mutate({ dryRun }),
	"remove-peer": (api, { peer }, dryRun) => api.peer.remove.mutate({ peer, dryRun }),
	"create-schedule": (api, { fields }, dryRun) => api.schedule.create.mutate({ ...fields, dryRun }),
	"delete-schedule": (api, { schedule }, dryRun) =>
		api.schedule.delete.mutate({ schedule, dryRun }),
	"create-selector": (api, { fields }, dryRun) =>
		api.selector.create.mutate({ ...fields, match: [...fields.match], dryRun }),
	"delete-selector": (api, { selector }, dryRun) =>
		api.selector.delete.mutate({ selector, dryRun }),
	cancel: async (api, { job }, dryRun) => (dryRun ? null : await api.job.cancel.mutate({ job })),
	retry: async (api, { job }, dryRun) => (dryRun ? null : await api.job.retry.mutate({ job })),
	rescan: async (api, { repository }, dryRun) =>
		dryRun ? null : await api.repository.rescan.mutate({ repository }),
};

const change = <C extends Change["call"]>(
	api: Api,
	one: Extract<Change, { call: C }>,
	dryRun: boolean,
): Promise<unknown> => {
	const call: Caller<C> = CALLS[one.call];
	return call(api, one, dryRun);
};

const isPlan = (value: unknown): value is Awaited<ReturnType<Api["job"]["plan"]["query"]>> =>
	typeof value === "object" && value !== null && "explain" in value && "steps" in value;

const planOf = async (api: Api, { does }: Act) => {
	if (does.kind === "job") return await api.job.plan.query(does.request);
	const answer = await change(api, does.change, true);
	const plan =
		typeof answer === "object" && answer !== null && "plan" in answer ? answer.plan : null;
	return isPlan(plan) ? plan : null;
};

type Answered = { readonly job: string | null; readonly told: Told | null };

const isInvite = (value: unknown): value is InviteView =>
	typeof value === "object" && value !== null && "code" in value && "expiresAt" in value;

const toldOf = ({ code, expiresAt, host, role }: InviteView): Told => ({
	title: `a code by which one host becomes ${role} here, once`,
	lines: [
		code,
		"",
		`this host is ${host.name}, ${showHostId(host.id)}`,
		`on the other host, before ${instant(expiresAt)}: knib peer join CODE`,
	],
	copies: code,
});

/** Does an act; answers the job that it started, or what must be read. */
const carryOut = async (api: Api, { does }: Act): Promise<Answered> => {
	if (does.kind === "job")
		return { job: (await api.job.start.mutate(does.request)).id, told: null };
	const answer = await change(api, does.change, false);
	if (isInvite(answer)) return { job: null, told: toldOf(answer) };
	const retried =
		does.change.call === "retry" && typeof answer === "object" && answer !== null && "id" in answer;
	return { job: retried && typeof answer.id === "string" ? answer.id : null, told: null };
};

/** Does acts one after the other until one fails. */
const doInTurn = async (api: Api, acts: readonly Act[]) => {
	const answers: Answered[] = [];
	try {
		for (const act of acts) answers.push(await carryOut(api, act));
		return { answers, failure: null };
	} catch (error) {
		return { answers, failure: words(error) };
	}
};

const performActs = async (api: Api, acts: readonly Act[], dispatch: Dispatch): Promise<void> => {
	const { answers, failure } = await doInTurn(api, acts);
	if (failure !== null) {
		const { length: done } = answers;
		const before = done === 0 ? "" : `${done} of ${acts.length} done; then: `;
		dispatch({ type: "failed", acts, done, text: `${before}${failure}` });
		return done === 0 ? undefined : await readAll(api, dispatch);
	}
	const jobs = answers.map((one) => one.job);
	const [job = null] = jobs;
	const [act] = acts;
	const undo = acts.length === 1 && act?.undo != null ? `; undo: ${act.undo}` : "";
	const what = acts.length === 1 ? `${act?.title ?? ""}${undo}` : `${acts.length} acts`;
	dispatch({
		type: "done",
		text: job === null ? `done: ${what}` : `job ${short(job)}: ${what}`,
		job: jobs.length === 1 ? job : null,
	});
	for (const { told } of answers) if (told !== null) dispatch({ type: "told", told });
};

const perform = async (api: Api, effect: Effect, dispatch: Dispatch): Promise<void> => {
	if (effect.type === "plan") {
		const plans = await Promise.all(effect.acts.map((act) => planOf(api, act)));
		dispatch({ type: "planned", acts: effect.acts, plans });
	} else if (effect.type === "act") await performActs(api, effect.acts, dispatch);
	else if (effect.type === "log") {
		dispatch({ type: "log", job: effect.job, lines: await api.job.log.query({ job: effect.job }) });
	} else if (effect.type === "detail") {
		dispatch({ type: "detail", backup: await api.backup.show.query({ backup: effect.id }) });
	} else if (effect.type === "picture") {
		const shown = await readPicture(api, effect.id).catch(words);
		dispatch({ type: "picture", backup: effect.id, shown });
	} else if (effect.type === "files") {
		const shown = await readFiles(api, effect.id).catch(words);
		if (shown !== null) dispatch({ type: "files", id: effect.id, shown });
	} else if (effect.type === "blocked") {
		const { blocked } = await api.chain.show.query({ chain: effect.chain });
		dispatch({ type: "blocked", id: effect.chain, blocked });
	} else if (effect.type === "list") {
		await readLists(api, [effect.list], dispatch);
	} else if (effect.type === "refresh") {
		await (effect.vm === null ? readAll(api, dispatch) : readAfterJob(api, effect.vm, dispatch));
	}
};

/** Carries an effect out that needs the daemon; what goes wrong comes back in words. */
export const runEffect = async (
	client: KnibClient | null,
	effect: Effect,
	dispatch: Dispatch,
): Promise<void> => {
	const fail = (text: string): void =>
		dispatch(
			effect.type === "plan" || effect.type === "act"
				? { type: "failed", acts: effect.acts, done: 0, text }
				: { type: "said", text },
		);
	if (client !== null)
		await perform(client.api, effect, dispatch).catch((error: unknown) => fail(words(error)));
	else if (effect.type === "plan" || effect.type === "act") fail("the daemon cannot be reached");
};

/** What looks over this host. */
export type Doctor = () => Promise<readonly CheckView[]>;

const WORST = ["failure", "warning", "ok"] as const;

/** Looks over this host, and tells what is worst first. */
export const runDoctorEffect = async (doctor: Doctor, dispatch: Dispatch): Promise<void> => {
	try {
		const found = await doctor();
		const checks = WORST.flatMap((state) => found.filter((one) => one.state === state));
		dispatch({ type: "data", data: { checks } });
	} catch (error) {
		dispatch({ type: "problem", list: "checks", message: words(error) });
	}
};
