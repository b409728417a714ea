import type { Test } from 'tap'
import { type ProblemCode, problems } from '../../src/core/problem.ts'
import type { Answer } from './harness.ts'

/** Asserts that an answer is the problem document of this code, whole and in its own media type. */
export function isProblem(t: Test, answer: Pick<Answer, 'status' | 'headers' | 'body'>, code: ProblemCode): void {
  const { status, title } = problems[code]
  t.equal(answer.status, status, `status of ${code}`)
  t.match(answer.headers['content-type'], /^application\/problem\+json(;|$)/)
  t.match(answer.body, { type: `/problems/${code}`, title, status, code, detail: /\S/ })
  t.equal(answer.body?.instance, answer.headers['x-request-id'], 'the request id is in header and body')
  t.notMatch(JSON.stringify(answer.body), /node_modules|\.ts:|select |insert |violates/, 'no stack and no SQL')
}
