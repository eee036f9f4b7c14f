/** What a person reads, as far as the journeys look for it. */
export interface Words {
  lang: 'en' | 'zh';
  home: string;
  profile: string;
  login: string;
  register: string;
  logout: string;
  loginTitle: string;
  registerTitle: string;
  account: string;
  password: string;
  confirm: string;
  remember: string;
  showPassword: string;
  hidePassword: string;
  menu: string;
  welcome: (name: string) => string;
  issuedAt: string;
  expiresAt: string;
  tokenType: string;
  loading: string;
  registered: string;
  loggedIn: string;
  loggedOut: string;
  loggedOutHere: string;
  loggedOutElsewhere: string;
  reused: string;
  wrongPassword: string;
  taken: (name: string) => string;
  expired: string;
  offline: string;
  noNetwork: string;
  noAnswer: string;
  ourFault: string;
  noted: string;
  busy: string;
  tooMany: string;
  notFound: string;
  pageFailed: string;
  reload: string;
  toHome: string;
  profileFailed: string;
  retry: string;
  switchAccount: string;
  accountMissing: string;
  passwordMissing: string;
  passwordShort: string;
  passwordLong: string;
  passwordsDiffer: string;
  strength: string;
  strengths: Record<'weak' | 'fair' | 'good' | 'strong', string>;
  language: string;
  otherLanguage: string;
  colours: string;
  close: string;
  toContent: string;
  capsLock: string;
  accountMenu: string;
  settings: string;
  details: string;
  nickname: string;
  email: string;
  mobile: string;
  notGiven: string;
  show: string;
  hide: string;
  edit: string;
  save: string;
  cancel: string;
  detailsSaved: string;
  proofTitle: string;
  goOn: string;
  wrongPasswordAgain: string;
  emailInvalid: string;
  passwordCurrent: string;
  passwordNew: string;
  passwordChange: string;
  passwordChanged: string;
  passwordChangedElsewhere: string;
  passwordCommon: string;
  security: string;
  devices: string;
  data: string;
  thisDevice: string;
  newDevice: string;
  endDevice: string;
  endTitle: string;
  endOthers: string;
  endOthersTitle: string;
  deviceEnded: string;
  othersEnded: string;
  endedElsewhere: string;
  devicesFailed: string;
  exportGo: string;
  exportDone: string;
  deleteConfirm: string;
  deleteGo: string;
  nameDiffers: string;
  accountDeleted: string;
  deviceName: (browser: string, system: string) => string;
  people: string;
  findSomebody: string;
  order: string;
  byName: string;
  nextPage: string;
  firstPage: string;
  nobodyFound: string;
  manage: (name: string) => string;
  disable: string;
  enable: string;
  endSessions: string;
  makeAdministrator: string;
  disableTitle: string;
  endSessionsTitle: string;
  makeAdministratorTitle: string;
  active: string;
  disabled: string;
  administrator: string;
  accountSaved: string;
  accountDisabled: string;
  lastAdministrator: string;
  notForYou: string;
  peopleFailed: string;
  connectionLost: RegExp;
  tryAgainOnline: string;
  tryAgainIn: RegExp;
  tryNow: string;
}

export const EN: Words = {
  lang: 'en',
  home: 'Home',
  profile: 'Profile',
  login: 'Log in',
  register: 'Register',
  logout: 'Log out',
  loginTitle: 'Log in to your account',
  registerTitle: 'Create your account',
  account: 'Email or username',
  password: 'Password',
  confirm: 'Confirm password',
  remember: 'Remember me',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  menu: 'Menu',
  welcome: (name) => `Welcome, ${name}!`,
  issuedAt: 'Token issued at',
  expiresAt: 'Token expires at',
  tokenType: 'Token type',
  loading: 'Loading your data…',
  registered: 'Registered. Please log in.',
  loggedIn: 'Logged in',
  loggedOut: 'You are logged out',
  loggedOutHere: 'You are logged out on this device, but the server could not be reached',
  loggedOutElsewhere: 'You logged out elsewhere, please log in again',
  reused: 'This session was ended because its login was used twice. Log in again, then check your devices.',
  wrongPassword: 'Wrong username or password',
  taken: (name) => `The username ${name} is taken`,
  expired: 'Your login has expired, please log in again',
  offline: 'Network error, please try again',
  noNetwork: 'Network error: you are offline',
  noAnswer: 'The server is not responding; it may be restarting. Try again in a moment.',
  ourFault: 'Something went wrong on our side, please try again',
  noted: 'This is a problem on our side and has been logged. If it continues, tell us this number:',
  busy: 'The service is busy, please try again shortly',
  tooMany: 'Too many attempts, please try again later',
  notFound: 'Page not found',
  pageFailed: 'This page could not be displayed',
  reload: 'Reload',
  toHome: 'Back to the home page',
  profileFailed: 'Your data could not be loaded',
  retry: 'Try again',
  switchAccount: 'Switch account',
  accountMissing: 'Enter your email or username',
  passwordMissing: 'Enter your password',
  passwordShort: 'Use at least 8 characters',
  passwordLong: 'Use at most 128 characters',
  passwordsDiffer: "Passwords don't match",
  strength: 'Strength',
  strengths: { weak: 'Weak', fair: 'Fair', good: 'Good', strong: 'Strong' },
  language: 'Language',
  otherLanguage: '中文',
  colours: 'Theme',
  close: 'Close',
  toContent: 'Skip to content',
  capsLock: 'Caps Lock is on',
  accountMenu: 'Account menu',
  settings: 'Settings',
  details: 'Personal details',
  nickname: 'Nickname',
  email: 'Email',
  mobile: 'Mobile number',
  notGiven: 'Not given',
  show: 'Show',
  hide: 'Hide',
  edit: 'Edit',
  save: 'Save',
  cancel: 'Cancel',
  detailsSaved: 'Details saved',
  proofTitle: 'Confirm your password',
  goOn: 'Continue',
  wrongPasswordAgain: 'Wrong password',
  emailInvalid: 'Enter a valid email address',
  passwordCurrent: 'Current password',
  passwordNew: 'New password',
  passwordChange: 'Change password',
  passwordChanged: 'Password changed. Your other devices are logged out',
  passwordChangedElsewhere: 'Your password was changed, please log in again',
  passwordCommon: 'This password is too common',
  security: 'Security',
  devices: 'Devices',
  data: 'Your data',
  thisDevice: 'This device',
  newDevice: 'New device',
  endDevice: 'Log out',
  endTitle: 'Log out this device?',
  endOthers: 'Log out all other devices',
  endOthersTitle: 'Log out all other devices?',
  deviceEnded: 'Device logged out',
  othersEnded: 'All other devices logged out',
  endedElsewhere: 'This session was ended from another device, please log in again',
  devicesFailed: 'Your devices could not be loaded',
  exportGo: 'Download',
  exportDone: 'Your data has been downloaded',
  deleteConfirm: 'Your username',
  deleteGo: 'Permanently delete my account',
  nameDiffers: 'Type your username to confirm',
  accountDeleted: 'Your account has been deleted',
  deviceName: (browser, system) => `${browser} on ${system}`,
  people: 'Users',
  findSomebody: 'Search users',
  order: 'Sort by',
  byName: 'Username A to Z',
  nextPage: 'Next page',
  firstPage: 'First page',
  nobodyFound: 'No users found. Check the spelling, or enter only the beginning of the name.',
  manage: (name) => `Manage: ${name}`,
  disable: 'Disable',
  enable: 'Enable',
  endSessions: 'Log out everywhere',
  makeAdministrator: 'Make administrator',
  disableTitle: 'Disable this account?',
  endSessionsTitle: 'Log this user out everywhere?',
  makeAdministratorTitle: 'Make this user an administrator?',
  active: 'Active',
  disabled: 'Disabled',
  administrator: 'Administrator',
  accountSaved: 'Account updated',
  accountDisabled: 'This account is disabled',
  lastAdministrator: 'At least one active administrator must remain',
  notForYou: 'This page is for administrators',
  peopleFailed: 'The users could not be loaded',
  connectionLost: /^You are offline/,
  tryAgainOnline: 'Try again once you are connected',
  tryAgainIn: /^You can try again in \d+:\d\d$/,
  tryNow: 'You can try again now.',
};

export const ZH: Words = {
  lang: 'zh',
  home: '首页',
  profile: '个人中心',
  login: '登录',
  register: '注册',
  logout: '安全登出',
  loginTitle: '登录您的账户',
  registerTitle: '注册您的账户',
  account: '邮箱或用户名',
  password: '密码',
  confirm: '确认密码',
  remember: '记住我',
  showPassword: '显示密码',
  hidePassword: '隐藏密码',
  menu: '菜单',
  welcome: (name) => `欢迎，${name}！`,
  issuedAt: 'Token 签发时间',
  expiresAt: 'Token 过期时间',
  tokenType: 'Token 类型',
  loading: '正在加载用户数据…',
  registered: '注册成功，请登录您的账户',
  loggedIn: '登录成功',
  loggedOut: '您已成功登出',
  loggedOutHere: '您已在此设备登出，但未能通知服务器',
  loggedOutElsewhere: '您已在别处登出，请重新登录',
  reused: '此登录被重复使用，为保护您的账户已将其结束。请重新登录并检查您的设备。',
  wrongPassword: '用户名或密码错误',
  taken: (name) => `用户名 ${name} 已存在`,
  expired: '登录已过期，请重新登录',
  offline: '网络错误，请稍后重试',
  noNetwork: '网络错误：您已离线',
  noAnswer: '服务器没有响应，可能正在重启。请稍候再试。',
  ourFault: '服务器出错，请稍后重试',
  noted: '这是我们的问题，已被记录。若持续出现，请告知我们此编号：',
  busy: '服务暂时不可用，请稍后重试',
  tooMany: '尝试次数过多，请稍后再试',
  notFound: '页面不存在',
  pageFailed: '此页面未能显示',
  reload: '重新加载',
  toHome: '返回首页',
  profileFailed: '无法加载用户资料',
  retry: '重试',
  switchAccount: '切换账户',
  accountMissing: '请输入邮箱或用户名',
  passwordMissing: '请输入密码',
  passwordShort: '密码至少需要 8 个字符',
  passwordLong: '密码最多 128 个字符',
  passwordsDiffer: '两次密码不一致',
  strength: '密码强度',
  strengths: { weak: '弱', fair: '一般', good: '较强', strong: '很强' },
  language: '语言',
  otherLanguage: 'English',
  colours: '主题',
  close: '关闭',
  toContent: '跳到主要内容',
  capsLock: '大写锁定已开启',
  accountMenu: '账户菜单',
  settings: '设置',
  details: '个人资料',
  nickname: '昵称',
  email: '邮箱',
  mobile: '手机号',
  notGiven: '未填写',
  show: '显示',
  hide: '隐藏',
  edit: '编辑',
  save: '保存',
  cancel: '取消',
  detailsSaved: '个人资料已保存',
  proofTitle: '请再次输入密码',
  goOn: '继续',
  wrongPasswordAgain: '密码错误',
  emailInvalid: '请输入有效的邮箱地址',
  passwordCurrent: '当前密码',
  passwordNew: '新密码',
  passwordChange: '更改密码',
  passwordChanged: '密码已更改，其他设备均已登出',
  passwordChangedElsewhere: '密码已更改，请重新登录',
  passwordCommon: '这个密码太常见，容易被猜到',
  security: '安全',
  devices: '设备',
  data: '您的数据',
  thisDevice: '当前设备',
  newDevice: '新设备',
  endDevice: '登出',
  endTitle: '登出此设备？',
  endOthers: '登出其他所有设备',
  endOthersTitle: '登出其他所有设备？',
  deviceEnded: '该设备已登出',
  othersEnded: '其他设备均已登出',
  endedElsewhere: '此会话已在其他设备上被结束，请重新登录',
  devicesFailed: '无法加载设备列表',
  exportGo: '下载',
  exportDone: '您的数据已下载',
  deleteConfirm: '您的用户名',
  deleteGo: '永久删除账户',
  nameDiffers: '请输入您的用户名以确认',
  accountDeleted: '您的账户已删除',
  deviceName: (browser, system) => `${system} 上的 ${browser}`,
  people: '用户管理',
  findSomebody: '搜索用户',
  order: '排序',
  byName: '用户名 A 到 Z',
  nextPage: '下一页',
  firstPage: '第一页',
  nobodyFound: '没有找到用户。请检查拼写，或只输入名字的开头。',
  manage: (name) => `管理: ${name}`,
  disable: '停用账户',
  enable: '恢复账户',
  endSessions: '结束所有会话',
  makeAdministrator: '设为管理员',
  disableTitle: '停用此账户？',
  endSessionsTitle: '结束此用户的所有会话？',
  makeAdministratorTitle: '设为管理员？',
  active: '正常',
  disabled: '已停用',
  administrator: '管理员',
  accountSaved: '账户更改已保存',
  accountDisabled: '账户已停用',
  lastAdministrator: '必须至少保留一位可用的管理员',
  notForYou: '此页面仅供管理员使用',
  peopleFailed: '无法加载用户列表',
  connectionLost: /^您已离线/,
  tryAgainOnline: '恢复连接后再试一次',
  tryAgainIn: /^可再次尝试，剩余 \d+:\d\d$/,
  tryNow: '现在可以再次尝试。',
};

/** What a browser asks for, and what it gets. */
export const LANGUAGES: readonly [locale: string, words: Words][] = [
  ['en-GB', EN],
  ['zh-CN', ZH],
];
