import type { Step } from './demo-portfolio.ts'

// What the partnerships of the demo are written with.

export const propose: Step = { verb: 'propose', to: 'proposed' }
export const assent = (organisation: string, on: string): Step => ({
  verb: 'assent',
  to: 'proposed',
  body: (party) => ({ party_id: party(organisation), on }),
})
export const activate: Step = { verb: 'activate', to: 'active' }
const agree = (by: string, on: string): Step => ({
  verb: 'agree',
  to: 'agreed',
  body: (party) => ({ party_id: party(by), on }),
})
export const agreed = (by: string, on: string): Step[] => [propose, agree(by, on)]
export const money = (amount: string, currency = 'EUR') => ({ type: 'money', amount, currency })
export const quantity = (count: string, unit: string) => ({ type: 'quantity', quantity: count, unit })
export const ref = (id: string) => ({ system: 'demo', id })
export const company = (id: string, role = 'partner') => ({ organisation_ref: ref(id), side: 'company', role })
export const charity = (id: string) => ({ organisation_ref: ref(id), side: 'non_profit', role: 'partner' })
