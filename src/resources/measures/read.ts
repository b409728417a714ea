export { commitmentRows, deliveredValued, isDue, questions, valued } from './store.ts'
