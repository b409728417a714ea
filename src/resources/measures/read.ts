export { deliveredValued, figures, figuresOfAsked, isDue, valued } from './figures.ts'
export { stateThen } from './store.ts'
