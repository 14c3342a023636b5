// The tRPC instance: errors go out as knib's own, in `data.knib`.
import { type ErrorView, KnibError, viewError } from "@knib/core";
import { initTRPC, type TRPCError } from "@trpc/server";
import { z } from "zod";
import { vmOfAct } from "../audit/act-vm.ts";
import { recordAct } from "../audit/record-act.ts";
import type { Context } from "./context.ts";

const wordsOf = (error: z.ZodError): string =>
	error.issues
		.map((issue) =>
			issue.path.length > 0 ? `${issue.path.join(".")}: ${issue.message}` : issue.message,
		)
		.join("; ");

/** Any error of a procedure as the user sees it: malformed inputs and unknown procedures are wrong usage, not defects. */
export const errorViewOf = (error: TRPCError): ErrorView => {
	const { cause } = error;
	if (cause instanceof KnibError) return viewError(cause);
	if (cause instanceof z.ZodError) return viewError(new KnibError("USAGE", wordsOf(cause)));
	if (error.code === "INTERNAL_SERVER_ERROR") return viewError(cause ?? error);
	const old =
		error.code === "NOT_FOUND"
			? { hint: "knib and knibd are of different versions: restart knibd" }
			: {};
	return viewError(new KnibError("USAGE", error.message, { details: old }));
};

const t = initTRPC.context<Context>().create({
	isServer: true,
	allowOutsideOfServer: true,
	errorFormatter: ({ shape, error }) => {
		const knib = errorViewOf(error);
		return { ...shape, message: knib.message, data: { code: shape.data.code, knib } };
	},
});

export const { router } = t;

/** Every call that changes something goes into the audit trail, whether it was carried out or not. */
export const procedure = t.procedure.use(async ({ ctx, type, path, getRawInput, next }) => {
	const result = await next();
	if (type !== "mutation" || ctx.deps.audit === undefined) return result;
	const input = await getRawInput();
	recordAct(ctx.deps.audit, {
		path,
		input,
		vm: await vmOfAct(ctx.deps.books.backups, input),
		user: ctx.user,
		error: result.ok ? null : errorViewOf(result.error).code,
	});
	return result;
});
